"""The part of EC2 that depends on what really runs: status checks and console output."""

import base64
from datetime import UTC, datetime
from typing import Any

from localaws.core.cloud import REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.compute.auto_scaling import Groups
from localaws.services.compute.instances.fleet import Fleet
from localaws.services.compute.instances.instance_records import CODES, Instance

_CONSOLE_BYTES = 64 * 1024  # "GetConsoleOutput": up to 64 KB of output


class Ec2Service:
    """Answers for the instances of a fleet, and keeps the fleet and its groups at work."""

    name = "ec2"
    actions = frozenset({"DescribeInstanceStatus", "GetConsoleOutput"})

    def __init__(self, cloud: Cloud, fleet: Fleet, groups: Groups) -> None:
        self._cloud = cloud
        self._fleet = fleet
        self._groups = groups

    def start(self) -> None:
        self._fleet.start()
        self._groups.start()

    def stop(self) -> None:
        self._groups.stop()
        self._fleet.stop()

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:  # noqa: ARG002
        if action == "GetConsoleOutput":
            return self._console(str(params.get("InstanceId", "")))
        return self._status(params)

    def _console(self, instance_id: str) -> Document:
        self._find([instance_id])
        machine = self._fleet.machine(instance_id)
        text = machine.console().encode()[-_CONSOLE_BYTES:] if machine else b""
        return {
            "InstanceId": instance_id,
            "Output": base64.b64encode(text).decode(),
            "Timestamp": (machine.booted_at if machine else None) or datetime.now(UTC),
        }

    def _status(self, params: Params) -> Response:
        """DescribeInstanceStatus": running instances only, unless all are asked for."""
        chosen = self._find(params.get("InstanceIds") or [])
        if not params.get("IncludeAllInstances"):
            chosen = [instance for instance in chosen if instance.state == "running"]
        statuses = [self._describe(instance) for instance in chosen]
        for condition in params.get("Filters") or []:
            statuses = [instance for instance in statuses if _value(instance, condition["Name"]) in condition["Values"]]
        return {"InstanceStatuses": statuses}

    def _find(self, ids: list[str]) -> list[Instance]:
        instances = self._fleet.instances()
        missing = set(ids) - {instance.id for instance in instances}
        if missing:
            text = ", ".join(sorted(missing))
            raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{text}' does not exist")
        return [instance for instance in instances if instance.id in ids] if ids else instances

    def _describe(self, instance: Instance) -> Document:
        machine = self._fleet.machine(instance.id)
        checks = machine.checks if machine and instance.state == "running" else "not-applicable"
        detail = {"ok": "passed", "impaired": "failed"}.get(checks, checks)
        system = "ok" if checks == "impaired" else checks  # the host is well: it is what runs on it that is not
        return {
            "AvailabilityZone": str(getattr(instance.raw, "placement", None) or f"{REGION}a"),
            "InstanceId": instance.id,
            "InstanceState": {"Code": CODES[instance.state], "Name": instance.state},
            "InstanceStatus": {"Status": checks, "Details": [{"Name": "reachability", "Status": detail}]},
            "SystemStatus": {
                "Status": system,
                "Details": [{"Name": "reachability", "Status": "passed" if system == "ok" else detail}],
            },
        }


def _value(status: Structure, name: str) -> str:
    """What a filter of DescribeInstanceStatus is compared with. Raises AwsError InvalidParameterValue."""
    paths = {
        "availability-zone": ("AvailabilityZone",),
        "instance-state-code": ("InstanceState", "Code"),
        "instance-state-name": ("InstanceState", "Name"),
        "instance-status.status": ("InstanceStatus", "Status"),
        "system-status.status": ("SystemStatus", "Status"),
    }
    if name not in paths:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    value: Any = status
    for step in paths[name]:
        value = value[step]
    return str(value)
