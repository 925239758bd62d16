"""Observing the streamer: its instance, its agent, its service, its heartbeat, the streams that it writes to."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.aws.clients import MakeClient
from postrank.aws.resources import MAIN, Resources
from postrank.deploy.marker import lapsed
from postrank.documents import Document
from postrank.errors import Retryable
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.supervision.diagnosis import Sight

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef
    from mypy_boto3_ssm.type_defs import InstanceInformationStringFilterTypeDef


class NoInstance(Retryable):
    """There is no instance to ask, now."""


_ORDER = ("running", "pending", "stopping", "stopped", "shutting-down")


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at the streamer of the collector whose names `resources` are. `client` makes a service's boto3 client."""

    client: MakeClient
    resources: Resources

    def look(self) -> Sight:
        """Everything that can be seen without asking the instance."""
        instance = self._instance()
        state = instance["State"]["Name"] if instance else "missing"
        instance_id = instance["InstanceId"] if instance else None
        return Sight(
            at=datetime.now(UTC),
            instance_id=instance_id,
            instance_state=state,
            reachable=state == "running" and self._answers(str(instance_id)),
            service={},
            heartbeat=self._heartbeat(),
            lost_streams=self._lost_streams(),
        )

    def instance_that_answers(self) -> str:
        """The streamer's instance, for a command. Raises NoInstance while none runs and answers Systems Manager."""
        instance = self._instance()
        if instance and instance["State"]["Name"] == "running" and self._answers(instance["InstanceId"]):
            return str(instance["InstanceId"])
        raise NoInstance(
            f"no instance of the collector {self.resources.collector} is registered with Systems Manager: "
            "see supervise_streamer"
        )

    def command(self, instance_id: str, action: str) -> Document:
        """What to send to the service document so that it acts on the collector's service."""
        service = self.resources.streamer.service
        # An environment that was made for one source may have a document without this parameter.
        other = {} if self.resources.collector == MAIN else {"Service": [service]}
        return {"InstanceIds": [instance_id], "Parameters": {"Action": [action], **other}}

    def service(self, instance_id: str, command: str | None) -> dict[str, str]:
        """The properties that the service document printed, as `Key=value` words or lines; none without a command."""
        if not command:
            return {}
        invocation = self.client("ssm").get_command_invocation(CommandId=command, InstanceId=instance_id)
        pairs = (word.partition("=") for word in invocation["StandardOutputContent"].replace("\n", " ").split(" "))
        return {key: value for key, equals, value in pairs if equals}

    def deploy_marker(self) -> Document | None:
        """What a deployment in progress says of itself, or None."""
        bucket = self.resources.buckets["raw"]
        key = self.resources.keys["deploy_marker"]
        try:
            body = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        marker: Document = json.loads(body.read())
        return None if lapsed(marker) else marker

    def _instance(self) -> "InstanceTypeDef | None":
        """The streamer's instance that is not terminated; of several the one that runs."""
        filters: list[FilterTypeDef] = [{"Name": "tag:Name", "Values": [self.resources.streamer.name]}]
        pages = self.client("ec2").get_paginator("describe_instances").paginate(Filters=filters)
        instances = [instance for page in pages for group in page["Reservations"] for instance in group["Instances"]]
        alive = [instance for instance in instances if instance["State"]["Name"] in _ORDER]
        return min(alive, key=lambda instance: _ORDER.index(instance["State"]["Name"]), default=None)

    def _answers(self, instance_id: str) -> bool:
        """Whether the instance's agent is connected (Systems Manager API, `PingStatus`)."""
        filters: list[InstanceInformationStringFilterTypeDef] = [{"Key": "InstanceIds", "Values": [instance_id]}]
        agents = self.client("ssm").describe_instance_information(Filters=filters)["InstanceInformationList"]
        return any(agent["PingStatus"] == "Online" for agent in agents)

    def _heartbeat(self) -> Heartbeat | None:
        try:
            return read_heartbeat(self.client("s3"), self.resources.buckets["raw"], self.resources.keys["heartbeat"])
        except NoHeartbeat:
            return None

    def _lost_streams(self) -> list[str]:
        kinesis = self.client("kinesis")
        lost = []
        for name in self.resources.streams.values():
            try:
                kinesis.describe_stream_summary(StreamName=name)
            except kinesis.exceptions.ResourceNotFoundException:
                lost.append(name)
        return lost
