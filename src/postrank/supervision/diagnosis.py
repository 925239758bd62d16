"""What is wrong with the streamer, and the next thing to try: pure judgement over what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postrank.heartbeat import Heartbeat

STALE = timedelta(minutes=3)  # a heartbeat is written at least every 30 s
QUIET = timedelta(minutes=15)  # silence of the source that is worth a word

RESTART = "restart_service"
START = "start_instance"
REBOOT = "reboot_instance"
REPLACE = "replace_instance"
WAIT = "wait"
NOTHING = "nothing"
ESCALATE = "escalate"


HEALING = (RESTART, START, REBOOT, REPLACE)

# What is wrong when EC2 says another word than "running", and what to try in turn.
_NOT_RUNNING: dict[str, tuple[str, Sequence[str]]] = {
    "missing": ("there is no instance; its group should start one", (WAIT, WAIT, ESCALATE)),
    "shutting-down": ("{} is being terminated; its group should start another", (WAIT, WAIT, ESCALATE)),
    "stopped": ("{} is stopped", (START, START, REPLACE, ESCALATE)),
    "pending": ("{} is starting", (WAIT, WAIT, REPLACE, ESCALATE)),
    "stopping": ("{} is stopping", (WAIT, WAIT, REPLACE, ESCALATE)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at the streamer."""

    at: datetime
    instance_id: str | None
    instance_state: str  # EC2's word, or "missing"
    reachable: bool  # by SSM
    service: Mapping[str, str]  # systemd's properties; empty when nobody answered
    heartbeat: Heartbeat | None
    lost_streams: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found, in words, and what to do next."""

    well: bool
    finding: str
    action: str


def judge(sight: Sight, tried: Sequence[str]) -> Verdict:
    """Judge what was seen. `tried` holds the actions since the streamer was last well, the oldest first."""
    if sight.lost_streams:
        names = ", ".join(sight.lost_streams)
        return Verdict(
            well=False,
            action=ESCALATE,
            finding=f"Kinesis has no stream {names}, which a restart cannot restore: apply Terraform",
        )
    finding, ladder = _trouble(sight)
    if not ladder:
        return Verdict(well=True, action=NOTHING, finding=finding)
    step = ladder[len(tried)] if len(tried) < len(ladder) else ESCALATE
    if step == ESCALATE:
        finding = f"{finding}; tried {', '.join(tried) or 'nothing'}, without success: {_advice(sight)}"
    return Verdict(well=False, action=step, finding=finding)


def _trouble(sight: Sight) -> tuple[str, Sequence[str]]:
    """What is wrong, and what can be tried in turn; nothing to try means that nothing is wrong."""
    name = f"instance {sight.instance_id}"
    if sight.instance_state != "running":
        what, ladder = _NOT_RUNNING[sight.instance_state]
        return what.format(name), ladder
    if sight.heartbeat and sight.heartbeat.finished:
        return f"{name} runs; the streamer read its source to the end and is finished", ()
    if not sight.reachable:
        return f"{name} runs, but its agent does not respond to Systems Manager", (WAIT, REBOOT, REPLACE, ESCALATE)
    if (state := sight.service.get("ActiveState", "unknown")) != "active":
        return f"the service on {name} is {state} ({_result(sight.service)})", (RESTART, REBOOT, REPLACE, ESCALATE)
    return _by_heartbeat(sight, name)


def _by_heartbeat(sight: Sight, name: str) -> tuple[str, Sequence[str]]:
    ladder = (RESTART, RESTART, REPLACE, ESCALATE)
    if sight.heartbeat is None:
        return f"the service on {name} is active but never wrote a heartbeat", (WAIT, *ladder)
    written = _moment(sight.heartbeat.written_at)
    contact = _moment(sight.heartbeat.last_source_contact)
    if written is None or sight.at - written > STALE:
        return f"stuck: the service on {name} is active, the last heartbeat {sight.heartbeat.written_at}", ladder
    if contact is not None and sight.at - contact > QUIET:
        return f"quiet: the streamer works, last contact with its source at {_utc(contact)}", ()
    return f"well: {name} runs, its service is active, heartbeat from {_utc(written)}", ()


def _result(service: Mapping[str, str]) -> str:
    return (
        ", ".join(f"{key} {service[key]}" for key in ("SubState", "Result", "ExecMainStatus") if key in service)
        or "no detail"
    )


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _advice(sight: Sight) -> str:
    if sight.instance_id is None:
        return "look at the Auto Scaling group's activity for the reason (capacity, launch template, limits)"
    return "read the service's journal in CloudWatch Logs, then run `postrank doctor` on the instance"
