"""The tasks of `supervise_streamer`: look, judge, act."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError

from postrank.errors import Fatal
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank_airflow import clients
from postrank_airflow.diagnosis import Sight, judge
from postrank_airflow.names import RESOURCES

_GONE = {"terminated"}
_ORDER = ("running", "pending", "stopping", "stopped", "shutting-down")


class StreamerUnwell(Fatal):
    """The streamer does not collect."""


@task
def look_at_instance() -> list[dict[str, Any]]:
    """Find the instance and what Systems Manager can ask of it; does nothing more while a deployment goes on."""
    if (marker := _object(RESOURCES.keys["deploy_marker"])) is not None:
        raise AirflowSkipException(f"a deployment goes on since {marker.get('since', 'some time')}: nothing is touched")
    sight = _instance()
    return [{"InstanceIds": [sight.instance_id], "Parameters": {"Action": ["status"]}}] if sight.reachable else []


@task(multiple_outputs=True, trigger_rule="none_failed_min_one_success")
def diagnose(questions: list[dict[str, Any]], commands: Any) -> dict[str, Any]:
    """Put instance, service and heartbeat together. Returns the verdict."""
    sight = replace(_instance(), service=_service(questions, list(commands or ())))
    verdict = judge(sight, [])
    return {
        "well": verdict.well,
        "finding": verdict.finding,
        "action": verdict.action,
        "instance_id": sight.instance_id,
    }


@task
def heal(verdict: dict[str, Any]) -> str:
    """Say what was seen; fail when the streamer is not well."""
    if not verdict["well"]:
        raise StreamerUnwell(verdict["finding"])
    return str(verdict["finding"])


def _instance() -> Sight:
    instances = _instances()
    found = instances[0] if instances else None
    instance_id = found["InstanceId"] if found else None
    return Sight(
        at=datetime.now(UTC),
        instance_id=instance_id,
        instance_state=found["State"]["Name"] if found else "missing",
        reachable=bool(found) and found["State"]["Name"] == "running" and _answers(str(instance_id)),
        service={},
        heartbeat=_heartbeat(),
        lost_streams=_lost_streams(),
    )


def _instances() -> list[dict[str, Any]]:
    """The streamer's instances that are not terminated, the one that runs first."""
    pages = (
        clients.client("ec2")
        .get_paginator("describe_instances")
        .paginate(Filters=[{"Name": "tag:Name", "Values": [RESOURCES.streamer.name]}])
    )
    found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    alive = [one for one in found if one["State"]["Name"] not in _GONE]
    return sorted(alive, key=lambda one: _ORDER.index(one["State"]["Name"]))


def _answers(instance_id: str) -> bool:
    known = clients.client("ssm").describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": [instance_id]}]
    )["InstanceInformationList"]
    return any(one["PingStatus"] == "Online" for one in known)


def _lost_streams() -> list[str]:
    kinesis, lost = clients.client("kinesis"), []
    for name in RESOURCES.streams.values():
        try:
            kinesis.describe_stream_summary(StreamName=name)
        except kinesis.exceptions.ResourceNotFoundException:
            lost.append(name)
    return lost


def _service(questions: list[dict[str, Any]], commands: list[str]) -> dict[str, str]:
    """The properties that the service document printed, as `Key=value` words or lines."""
    if not commands:
        return {}
    instance_id = questions[0]["InstanceIds"][0]
    answer = clients.client("ssm").get_command_invocation(CommandId=commands[0], InstanceId=instance_id)
    pairs = (word.partition("=") for word in answer["StandardOutputContent"].replace("\n", " ").split(" "))
    return {key: value for key, found, value in pairs if found}


def _heartbeat() -> Heartbeat | None:
    try:
        return read_heartbeat(clients.client("s3"), RESOURCES.buckets["raw"], RESOURCES.keys["heartbeat"])
    except NoHeartbeat:
        return None


def _object(key: str) -> dict[str, Any] | None:
    """A JSON object of the raw bucket, or None where there is none."""
    try:
        body = clients.client("s3").get_object(Bucket=RESOURCES.buckets["raw"], Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    found: dict[str, Any] = json.loads(body)
    return found
