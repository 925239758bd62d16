"""What each hop of a run received, and what became of it: received = delivered + rejected (+ ignored, + spooled)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from postrank.heartbeat import Heartbeat
from postrank.laptop.delivered import DeliveredLines


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
    def _difference(self) -> int:
        return self.received - self.delivered - self.rejected - self.spooled - sum(self.other.values())


@dataclass(frozen=True, slots=True)
class Accounting:
    """All hops of a run, from the source to the lake."""

    hops: tuple[Hop, ...]

    @classmethod
    def of(cls, heartbeat: Heartbeat, delivered: DeliveredLines, manifest: Mapping[str, Any]) -> "Accounting":
        """From the heartbeat, the lines counted in what was delivered since, and the export's manifest.

        A run reads the arrival hours that are new to it; the last hop is about the lines in those.
        """
        counts = heartbeat.counts
        waiting = counts.get("spooled", 0) + counts.get("in_flight", 0)
        read = Hop(
            name="source → streamer",
            received=counts.get("read", 0),
            delivered=counts.get("events", 0),
            rejected=counts.get("rejected", 0),
            other=_some(ignored=counts.get("ignored", 0)),
        )
        sent = Hop(
            name="streamer → Kinesis",
            received=counts.get("events", 0),
            delivered=counts.get("delivered", 0),
            spooled=waiting,
            other=_some(filtered=counts.get("filtered", 0)),
        )
        stored = Hop(
            name="Firehose → S3",
            received=counts.get("delivered", 0),
            delivered=delivered.lines,
            other={},
        )
        return cls((read, sent, stored, _lake(delivered.lines_in(manifest["arrival_hours"]), manifest)))

    @property
    def lost(self) -> int:
        return sum(hop.lost for hop in self.hops)

    def table(self) -> Table:
        """For a person."""
        table = Table(title="Lines that each hop took and gave", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("hop", no_wrap=True)
        for column in ("taken", "given", "rejected", "spooled", "lost"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("beside", overflow="fold")
        for hop in self.hops:
            figures = (hop.received, hop.delivered, hop.rejected, hop.spooled, hop.lost)
            beside = {**hop.other, **_some(more=hop.more)}
            other = ", ".join(f"{number:,} {reason}" for reason, number in beside.items())
            table.add_row(hop.name, *(f"{figure:,}" for figure in figures), other)
        return table


def _lake(lines: int, manifest: Mapping[str, Any]) -> Hop:
    counted: Mapping[str, int] = manifest["arrived_lines"]
    other = _some(**{kind: number for kind, number in counted.items() if kind not in ("post", "unusable")})
    return Hop(
        name="S3 → Athena",
        received=lines,
        delivered=counted.get("post", 0),
        rejected=counted.get("unusable", 0),
        other=other,
    )


def _some(**figures: int) -> dict[str, int]:
    return {reason: number for reason, number in figures.items() if number}


def newest_manifest(results: Path) -> dict[str, Any]:
    """The manifest that `latest.json` below a copy of the results bucket points at."""
    latest = json.loads((results / "rankings" / "latest.json").read_text(encoding="utf-8"))
    path = results / "rankings" / f"run={latest['run']}" / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest
