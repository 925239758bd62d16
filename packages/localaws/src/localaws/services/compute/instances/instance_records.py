"""The emulator's instances: it keeps what they are, and is told here in which state their processes are.

Its states jump to the end of what was asked; the states between ("Amazon EC2 instance state changes", EC2 user guide)
are set on its own records, so that every answer and filter shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localaws.core.cloud import ACCOUNT, REGION
from localaws.services.compute.instances import units

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@dataclass(frozen=True, slots=True)
class Instance:
    """What the emulator says of an instance. `profile` is the ARN or name of its instance profile, or ""."""

    id: str
    state: str
    units: list[str]
    tags: dict[str, str]
    profile: str
    raw: Any


def instances() -> Iterator[Instance]:
    """Every instance that it knows, terminated ones included."""
    from moto.ec2.models import ec2_backends

    backend = ec2_backends[ACCOUNT][REGION]
    for reservation in list(backend.reservations.values()):
        for raw in list(reservation.instances):
            yield _instance(backend, raw)


def show(instance: Instance, state: str) -> None:
    """Have every answer say that the instance is in that state."""
    from moto.ec2.models.instances import InstanceState

    instance.raw._state = InstanceState(state, CODES[state])


def is_member(instance: Instance) -> bool:
    """Whether an Auto Scaling group keeps the instance in service."""
    group = getattr(instance.raw, "autoscaling_group", None)
    return group is not None and any(
        state.instance.id == instance.id and state.lifecycle_state == "InService" for state in group.instance_states
    )


def _instance(backend: Any, raw: Any) -> Instance:
    tags = {tag["key"]: tag["value"] for tag in raw.get_tags()}
    return Instance(
        id=raw.id,
        state=str(raw._state.name),
        units=units.names(tags.get(units.TAG, "")),
        tags=tags,
        profile=_profile(backend, raw),
        raw=raw,
    )


def _profile(backend: Any, raw: Any) -> str:
    """The instance profile that it is associated with, or that its launch template names."""
    for association in list(backend.iam_instance_profile_associations.values()):
        if association.instance.id == raw.id:
            return str(association.iam_instance_profile.arn)
    template = getattr(getattr(raw, "autoscaling_group", None), "ec2_launch_template", None)
    if template is None:
        return ""
    named = template.default_version().data.get("IamInstanceProfile") or {}
    return str(named.get("Arn") or named.get("Name") or "")
