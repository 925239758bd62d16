"""Accounting over counts at each hop: what went in, what came out, and what is not accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postrank.errors import Retryable
from postrank.heartbeat import Heartbeat


class NotConserved(Retryable):
    """Something went in at a hop and did not come out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One hop. All figures are lines (an event is a line). `other`: what is no post, by reason."""

    name: str
    received: int
    delivered: int
    rejected: int = 0
    spooled: int = 0
    other: Mapping[str, int]

    @property
    def lost(self) -> int:
        """How many lines are not accounted for."""
        return max(self._difference, 0)

    @property
    def more(self) -> int:
        """How many lines came out beyond those that went in: delivered twice, or arrived while this was counted."""
        return max(-self._difference, 0)

    @property
    def accounted(self) -> int:
        """How many lines came out, by any way."""
        return self.delivered + self.rejected + self.spooled + sum(self.other.values())

    @property
    def _difference(self) -> int:
        return self.received - self.accounted


@dataclass(frozen=True, slots=True)
class Sample:
    """How many lines had been acknowledged by the stream when a heartbeat was written."""

    at: datetime
    acknowledged: int


def hops_of_streamer(counts: Mapping[str, int]) -> tuple[Hop, Hop]:
    """The two hops that a heartbeat's counts describe: from the source, and to the stream."""
    source = Hop(
        name="source → streamer",
        received=counts.get("read", 0),
        delivered=counts.get("events", 0),
        rejected=counts.get("rejected", 0),
        other=nonzero(ignored=counts.get("ignored", 0)),
    )
    streamer = Hop(
        name="streamer → Kinesis",
        received=counts.get("events", 0),
        delivered=counts.get("delivered", 0),
        spooled=counts.get("spooled", 0) + counts.get("in_flight", 0),
        other=nonzero(filtered=counts.get("filtered", 0)),
    )
    return source, streamer


def balance_of_streamer(counts: Mapping[str, int]) -> str:
    """Hold the streamer's own equations. Returns them in words; raises NotConserved."""
    source, streamer = hops_of_streamer(counts)
    outputs = _words(counts, "events", "rejected", "ignored")
    destinations = _words(counts, "delivered", "spooled", "in_flight", "filtered")
    for name, hop, parts in (("source", source, outputs), ("streamer", streamer, destinations)):
        if hop.received != hop.accounted:
            raise NotConserved(f"hop {name}: {hop.received} in, {parts} = {hop.accounted} out")
    return f"read {source.received} = {outputs}; events {streamer.received} = {destinations}"


def account_of_originals(counts: Mapping[str, int]) -> str:
    """What became of the networks' original JSON, in words; empty where none is kept."""
    if "originals" not in counts:
        return ""
    waiting = counts["originals_waiting"]
    too_large = counts["originals_too_large"]
    left_out = counts["originals_left_out"]
    received = counts["originals"] + too_large + left_out
    parts = f"delivered {counts['originals'] - waiting} + waiting {waiting}"
    return f"original JSON {received} = {parts} + too large {too_large} + left out {left_out}"


def expected_in_lake(samples: Sequence[Sample], now: datetime, transit: timedelta) -> int:
    """How many lines must have arrived: those acknowledged longer ago than a line may be under way."""
    return max((sample.acknowledged for sample in samples if sample.at <= now - transit), default=0)


def balance_of_delivery(samples: Sequence[Sample], in_lake: int, now: datetime, transit: timedelta) -> str:
    """Hold the stream and Firehose to what they took. Returns the account in words; raises NotConserved."""
    acknowledged = max((sample.acknowledged for sample in samples), default=0)
    expected = expected_in_lake(samples, now, transit)
    if in_lake < expected:
        raise NotConserved(
            f"hop delivery: {expected} lines were acknowledged more than {transit} ago, {in_lake} are in the lake: "
            f"{expected - in_lake} are missing"
        )
    if in_lake < acknowledged:
        return f"acknowledged {acknowledged}, in the lake {in_lake}: {acknowledged - in_lake} are in transit"
    return f"acknowledged {acknowledged}, in the lake {in_lake}, of which {in_lake - acknowledged} are duplicates"


def sample_of(heartbeat: Heartbeat) -> Sample:
    """The heartbeat's count of acknowledged lines; of a streamer at rest, as of its last acknowledgement."""
    at = heartbeat.last_ack if heartbeat.finished and heartbeat.last_ack else heartbeat.written_at
    return Sample(datetime.fromisoformat(at), heartbeat.counts.get("delivered", 0))


def nonzero(**figures: int) -> dict[str, int]:
    return {reason: number for reason, number in figures.items() if number}


def _words(counts: Mapping[str, int], *names: str) -> str:
    return " + ".join(f"{counts.get(name, 0)} {name}" for name in names)
