"""Commands: what was sent, to which instances, and how it went there, in the shapes of the API.

They are kept for as long as the server runs; Systems Manager keeps them for 30 days.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from localaws.core.shapes import Document
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
    targets: list[Document]
    invocations: dict[str, Invocation]
    plugins: list[str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def status(self) -> str:
        """The worst of what its instances say, once all have ended."""
        statuses = {invocation.status for invocation in self.invocations.values()}
        if statuses & {"Pending", "InProgress"}:
            return "InProgress" if statuses - {"Pending"} else "Pending"
        return next(
            (invocation for invocation in ("Cancelled", "TimedOut", "Failed") if invocation in statuses), "Success"
        )

    def describe(self) -> Document:
        """The API's `Command`."""
        ended = [invocation for invocation in self.invocations.values() if invocation.status not in _OPEN]
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
            "ErrorCount": sum(invocation.status in ("Failed", "TimedOut") for invocation in ended),
            "DeliveryTimedOutCount": sum(invocation.details == "Delivery Timed Out" for invocation in ended),
            "TimeoutSeconds": self.timeout,
        }

    def describe_invocation(self, invocation: Invocation) -> Document:
        """The answer of GetCommandInvocation."""
        response: Document = {
            "CommandId": self.id,
            "InstanceId": invocation.instance_id,
            "Comment": self.comment,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "PluginName": self.plugins[0] if len(self.plugins) == 1 else "",
            "ResponseCode": invocation.exit_code,
            "Status": invocation.status,
            "StatusDetails": invocation.details,
            "StandardOutputContent": invocation.out,
            "StandardErrorContent": invocation.err,
            "StandardOutputUrl": "",
            "StandardErrorUrl": "",
            "ExecutionStartDateTime": _stamp(invocation.started),
            "ExecutionEndDateTime": _stamp(invocation.ended),
        }
        if invocation.started and invocation.ended:
            response["ExecutionElapsedTime"] = f"PT{(invocation.ended - invocation.started).total_seconds():.3f}S"
        return response

    def list_entry(self, invocation: Invocation, details: bool) -> Document:
        """The API's `CommandInvocation`, with its plugins when details are asked for."""
        plugin = {
            "Name": self.plugins[0] if self.plugins else "",
            "Status": invocation.status,
            "StatusDetails": invocation.details,
            "ResponseCode": invocation.exit_code,
            "Output": (invocation.out + invocation.err)[:_PLUGIN_CHARACTERS],
            **({"ResponseStartDateTime": invocation.started} if invocation.started else {}),
            **({"ResponseFinishDateTime": invocation.ended} if invocation.ended else {}),
        }
        return {
            "CommandId": self.id,
            "InstanceId": invocation.instance_id,
            "Comment": self.comment,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "RequestedDateTime": self.requested,
            "Status": invocation.status,
            "StatusDetails": invocation.details,
            "CommandPlugins": [plugin] if details else [],
        }


def _stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if moment else ""
