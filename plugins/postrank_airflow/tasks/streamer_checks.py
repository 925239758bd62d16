"""Looking at the streamer: its instance, its agent, its service, its heartbeat, the streams that it writes to."""

import json
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from postrank.deploy.marker import lapsed
from postrank.errors import Retryable
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.supervision.diagnosis import Sight
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES


class NoInstance(Retryable):
    """There is no instance to ask, now."""


_ORDER = ("running", "pending", "stopping", "stopped", "shutting-down")


def look() -> Sight:
    """Everything that can be seen without asking the instance."""
    found = _instance()
    state = found["State"]["Name"] if found else "missing"
    instance_id = found["InstanceId"] if found else None
    return Sight(
        at=datetime.now(UTC),
        instance_id=instance_id,
        instance_state=state,
        reachable=state == "running" and _answers(str(instance_id)),
        service={},
        heartbeat=_heartbeat(),
        lost_streams=_lost_streams(),
    )


def instance_that_answers() -> str:
    """The streamer's instance, for a command. Raises NoInstance while none runs and answers Systems Manager."""
    found = _instance()
    if found is None or found["State"]["Name"] != "running" or not _answers(found["InstanceId"]):
        raise NoInstance("no instance of the streamer answers Systems Manager: supervise_streamer says what is wrong")
    return str(found["InstanceId"])


def service(questions: list[dict[str, Any]], commands: list[str]) -> dict[str, str]:
    """The properties that the service document printed, as `Key=value` words or lines; none when nobody was asked."""
    if not commands:
        return {}
    answer = clients.client("ssm").get_command_invocation(
        CommandId=commands[0], InstanceId=questions[0]["InstanceIds"][0]
    )
    pairs = (word.partition("=") for word in answer["StandardOutputContent"].replace("\n", " ").split(" "))
    return {key: value for key, found, value in pairs if found}


def deploy_marker() -> dict[str, Any] | None:
    """What a deployment that goes on says of itself, or None."""
    try:
        body = clients.client("s3").get_object(Bucket=RESOURCES.buckets["raw"], Key=RESOURCES.keys["deploy_marker"])[
            "Body"
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    marker: dict[str, Any] = json.loads(body.read())
    return None if lapsed(marker) else marker


def _instance() -> dict[str, Any] | None:
    """The streamer's instance that is not terminated; of several the one that runs."""
    named = [{"Name": "tag:Name", "Values": [RESOURCES.streamer.name]}]
    pages = clients.client("ec2").get_paginator("describe_instances").paginate(Filters=named)
    found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    alive = [one for one in found if one["State"]["Name"] in _ORDER]
    return min(alive, key=lambda one: _ORDER.index(one["State"]["Name"]), default=None)


def _answers(instance_id: str) -> bool:
    """Whether the instance's agent is connected (Systems Manager API, `PingStatus`)."""
    asked = [{"Key": "InstanceIds", "Values": [instance_id]}]
    known = clients.client("ssm").describe_instance_information(Filters=asked)["InstanceInformationList"]
    return any(one["PingStatus"] == "Online" for one in known)


def _heartbeat() -> Heartbeat | None:
    try:
        return read_heartbeat(clients.client("s3"), RESOURCES.buckets["raw"], RESOURCES.keys["heartbeat"])
    except NoHeartbeat:
        return None


def _lost_streams() -> list[str]:
    kinesis, lost = clients.client("kinesis"), []
    for name in RESOURCES.streams.values():
        try:
            kinesis.describe_stream_summary(StreamName=name)
        except kinesis.exceptions.ResourceNotFoundException:
            lost.append(name)
    return lost
