"""What was acknowledged against what lies in the lake: pure accounting over counts at each hop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postrank.errors import Retryable
from postrank.heartbeat import Heartbeat


class NotConserved(Retryable):
    """Something went in at a hop and did not come out of it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How many lines had been acknowledged by the stream when a heartbeat was written."""

    at: datetime
    acknowledged: int


def balance_of_streamer(counts: Mapping[str, int]) -> str:
    """Hold the streamer's own equations. Returns them in words; raises NotConserved."""
    get = counts.get
    taken = {name: get(name, 0) for name in ("events", "rejected", "ignored")}
    given = {name: get(name, 0) for name in ("delivered", "spooled", "in_flight", "filtered")}
    for hop, total, parts in (("source", get("read", 0), taken), ("streamer", taken["events"], given)):
        if total != sum(parts.values()):
            raise NotConserved(f"hop {hop}: {total} went in, {_sum(parts)} = {sum(parts.values())} came out")
    return f"read {get('read', 0)} = {_sum(taken)}; events {taken['events']} = {_sum(given)}"


def expected_in_lake(samples: Sequence[Sample], now: datetime, transit: timedelta) -> int:
    """How many lines must have arrived: those acknowledged longer ago than a line may be under way."""
    return max((one.acknowledged for one in samples if one.at <= now - transit), default=0)


def balance_of_delivery(samples: Sequence[Sample], in_lake: int, now: datetime, transit: timedelta) -> str:
    """Hold the stream and Firehose to what they took. Returns the account in words; raises NotConserved."""
    acknowledged = max((one.acknowledged for one in samples), default=0)
    expected = expected_in_lake(samples, now, transit)
    if in_lake < expected:
        raise NotConserved(
            f"hop delivery: {expected} lines were acknowledged more than {transit} ago, {in_lake} lie in the lake: "
            f"{expected - in_lake} are missing"
        )
    if in_lake < acknowledged:
        return f"acknowledged {acknowledged}, in the lake {in_lake}: {acknowledged - in_lake} are under way"
    return f"acknowledged {acknowledged}, in the lake {in_lake}, of which {in_lake - acknowledged} came more than once"


def sample_of(heartbeat: Heartbeat) -> Sample:
    """The heartbeat's count of acknowledged lines; of a streamer at rest, as of its last acknowledgement."""
    at = heartbeat.last_ack if heartbeat.finished and heartbeat.last_ack else heartbeat.written_at
    return Sample(datetime.fromisoformat(at), heartbeat.counts.get("delivered", 0))


def _sum(parts: Mapping[str, int]) -> str:
    return " + ".join(f"{count} {name}" for name, count in parts.items())
