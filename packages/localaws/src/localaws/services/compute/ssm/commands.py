"""Commands: what was sent, to which instances, and how it went there, in the shapes of the API.

They are kept for as long as the server runs; Systems Manager keeps them for 30 days.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from localaws.services.compute.ssm.invocations import Invocation

_PLUGIN_CHARACTERS = 2_500  # "CommandPlugin": output of at most 2,500 characters
_OPEN = ("Pending", "InProgress", "Cancelling")


@dataclass(slots=True, kw_only=True)
class Command:
    """One SendCommand. `timeout` is how long, in seconds, an instance may take to begin."""

    document: str
    version: str
    parameters: Mapping[str, list[str]]
    comment: str
    timeout: int
    targets: list[dict[str, Any]]
    invocations: dict[str, Invocation]
    plugins: list[str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def status(self) -> str:
        """The worst of what its instances say, once all have ended."""
        found = {one.status for one in self.invocations.values()}
        if found & {"Pending", "InProgress"}:
            return "InProgress" if found - {"Pending"} else "Pending"
        return next((one for one in ("Cancelled", "TimedOut", "Failed") if one in found), "Success")

    def told(self) -> dict[str, Any]:
        """The API's `Command`."""
        ended = [one for one in self.invocations.values() if one.status not in _OPEN]
        return {
            "CommandId": self.id,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "Comment": self.comment,
            "ExpiresAfter": self.requested + timedelta(seconds=self.timeout),
            "Parameters": dict(self.parameters),
            "InstanceIds": [] if self.targets else list(self.invocations),
            "Targets": self.targets,
            "RequestedDateTime": self.requested,
            "Status": self.status,
            "StatusDetails": self.status,
            "MaxConcurrency": "50",
            "MaxErrors": "0",
            "TargetCount": len(self.invocations),
            "CompletedCount": len(ended),
            "ErrorCount": sum(one.status in ("Failed", "TimedOut") for one in ended),
            "DeliveryTimedOutCount": sum(one.details == "Delivery Timed Out" for one in ended),
            "TimeoutSeconds": self.timeout,
        }

    def invocation(self, one: Invocation) -> dict[str, Any]:
        """The answer of GetCommandInvocation."""
        told: dict[str, Any] = {
            "CommandId": self.id,
            "InstanceId": one.instance_id,
            "Comment": self.comment,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "PluginName": self.plugins[0] if len(self.plugins) == 1 else "",
            "ResponseCode": one.exit_code,
            "Status": one.status,
            "StatusDetails": one.details,
            "StandardOutputContent": one.out,
            "StandardErrorContent": one.err,
            "StandardOutputUrl": "",
            "StandardErrorUrl": "",
            "ExecutionStartDateTime": _stamp(one.started),
            "ExecutionEndDateTime": _stamp(one.ended),
        }
        if one.started and one.ended:
            told["ExecutionElapsedTime"] = f"PT{(one.ended - one.started).total_seconds():.3f}S"
        return told

    def listed(self, one: Invocation, details: bool) -> dict[str, Any]:
        """The API's `CommandInvocation`, with its plugins when details are asked for."""
        plugin = {
            "Name": self.plugins[0] if self.plugins else "",
            "Status": one.status,
            "StatusDetails": one.details,
            "ResponseCode": one.exit_code,
            "Output": (one.out + one.err)[:_PLUGIN_CHARACTERS],
            **({"ResponseStartDateTime": one.started} if one.started else {}),
            **({"ResponseFinishDateTime": one.ended} if one.ended else {}),
        }
        return {
            "CommandId": self.id,
            "InstanceId": one.instance_id,
            "Comment": self.comment,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "RequestedDateTime": self.requested,
            "Status": one.status,
            "StatusDetails": one.details,
            "CommandPlugins": [plugin] if details else [],
        }


def _stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if moment else ""
