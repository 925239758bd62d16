"""What each hop of a run received, and what became of it: received = delivered + rejected (+ ignored, + spooled)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from postrank.delivery.conservation import Hop, hops_of_streamer, nonzero
from postrank.delivery.lines import DeliveredLines
from postrank.documents import Document, JsonObject
from postrank.heartbeat import Heartbeat


@dataclass(frozen=True, slots=True)
class Accounting:
    """All hops of a run, from the source to the lake: of all collectors together and, where there are several, of
    each.
    """

    hops: tuple[Hop, ...]
    of_collectors: Mapping[str, tuple[Hop, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, heartbeats: Mapping[str, Heartbeat], delivered: DeliveredLines, manifest: JsonObject) -> "Accounting":
        """From the collectors' heartbeats, the lines counted in what was delivered since, and the export's manifest.

        A run reads the arrival hours that are new to it; the last hop is about the lines in those.
        """
        sums: Counter[str] = Counter()
        for heartbeat in heartbeats.values():
            sums.update(heartbeat.counts)
        hops = _until_stored(sums, delivered.lines)
        lake = _lake(delivered.lines_in(manifest["arrival_hours"]), manifest)
        if len(heartbeats) == 1:
            return cls((*hops, lake))
        each = {name: _until_stored(beat.counts, delivered.lines_of(name)) for name, beat in heartbeats.items()}
        return cls((*hops, lake), each)

    @property
    def lost(self) -> int:
        """How many lines are not accounted for; what one collector has too much makes up for no other's loss."""
        of_each = sum(hop.lost for hops in self.of_collectors.values() for hop in hops)
        return max(of_each, sum(hop.lost for hop in self.hops[:-1])) + self.hops[-1].lost

    def table(self) -> Table:
        """For a person."""
        table = Table(
            title="Lines received and delivered at each hop", title_justify="left", box=SIMPLE_HEAD, pad_edge=False
        )
        table.add_column("hop", no_wrap=True)
        for column in ("received", "delivered", "rejected", "spooled", "lost"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("other", overflow="fold")
        if self.of_collectors:
            for name, hops in self.of_collectors.items():
                table.add_row(name, style="bold")
                _add_hops(table, hops)
                table.add_section()
            table.add_row("all collectors", style="bold")
        _add_hops(table, self.hops)
        return table


def _add_hops(table: Table, hops: Iterable[Hop]) -> None:
    for hop in hops:
        figures = (hop.received, hop.delivered, hop.rejected, hop.spooled, hop.lost)
        others = {**hop.other, **nonzero(more=hop.more)}
        other = ", ".join(f"{number:,} {reason}" for reason, number in others.items())
        table.add_row(hop.name, *(f"{figure:,}" for figure in figures), other)


def _until_stored(counts: Mapping[str, int], stored: int) -> tuple[Hop, ...]:
    """The hops up to the raw zone, by the counts of a heartbeat, or of several together."""
    firehose = Hop(name="Firehose → S3", received=counts.get("delivered", 0), delivered=stored, other={})
    return (*hops_of_streamer(counts), firehose)


def _lake(lines: int, manifest: JsonObject) -> Hop:
    counted: Mapping[str, int] = manifest["arrived_lines"]
    other = nonzero(**{kind: number for kind, number in counted.items() if kind not in ("post", "unusable")})
    return Hop(
        name="S3 → Athena",
        received=lines,
        delivered=counted.get("post", 0),
        rejected=counted.get("unusable", 0),
        other=other,
    )


def newest_manifest(results: Path) -> Document:
    """The manifest that `latest.json` below a copy of the results bucket points at."""
    latest = json.loads((results / "rankings" / "latest.json").read_text(encoding="utf-8"))
    path = results / "rankings" / f"run={latest['run']}" / "manifest.json"
    manifest: Document = json.loads(path.read_text(encoding="utf-8"))
    return manifest
