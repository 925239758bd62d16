"""The gap ledger read as spans: which gaps are open, which parts of them are left, how to cut those into slices.

A row of the ledger names a source, a span and, where something has read the span again, what did (`recovered_by`). A
gap is closed by a later row of the same span, or by rows that cover it together.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from postrank.aws.resources import MAIN
from postrank.collectors.labels import owner_of
from postrank.documents import JsonObject

Row = JsonObject
Reading = tuple[str, str]  # a source, and the collector that reads it


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`[since, until)`, aware UTC."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, row: Row) -> "Span":
        """The span of a row of the ledger."""
        return cls.between(row["gap_from"], row["gap_to"])

    @classmethod
    def between(cls, since: str, until: str) -> "Span":
        """The span of two RFC 3339 texts."""
        return cls(*(datetime.fromisoformat(text).astimezone(UTC) for text in (since, until)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap of a collector's source, with the parts of it that nothing has read again, and what has read the others."""

    source: str
    span: Span
    reason: str
    left: tuple[Span, ...]
    recovered_by: tuple[str, ...]
    collector: str = MAIN


def unmarked(rows: Iterable[Row], collectors: Collection[str] = (MAIN,)) -> list[Gap]:
    """The gaps that no row of their own says to be recovered, earliest first; those with nothing left among them.

    What one of the `collectors` read again closes no gap of another: they may follow different posts of one source.
    """
    newest: dict[tuple[Reading, Span], Row] = {}
    read: dict[Reading, list[tuple[Span, str]]] = {}
    for row in sorted(rows, key=lambda row: str(row["noted_at"])):
        span = Span.of(row)
        reading = (str(row["source"]), owner_of(str(row.get("collector", "")), collectors))
        newest[reading, span] = row
        if row["recovered_by"]:
            read.setdefault(reading, []).append((span, str(row["recovered_by"])))
    return [
        _gap(reading, span, str(row["reason"]), read.get(reading, []))
        for (reading, span), row in sorted(newest.items(), key=lambda item: (item[0][1], item[0][0]))
        if not row["recovered_by"] and span.since < span.until
    ]


def remaining(span: Span, read: Iterable[Span]) -> list[Span]:
    """The parts of a span that lie in none of the others."""
    parts = []
    since = span.since
    for span_read in sorted(read):
        if span_read.since > since:
            parts.append(Span(since, min(span_read.since, span.until)))
        since = max(since, span_read.until)
        if since >= span.until:
            break
    if since < span.until:
        parts.append(Span(since, span.until))
    return [part for part in parts if part.since < part.until]


def slices(span: Span, length: timedelta) -> Iterator[Span]:
    """The span in pieces of at most `length`."""
    since = span.since
    while since < span.until:
        until = min(since + length, span.until)
        yield Span(since, until)
        since = until


def _gap(reading: Reading, span: Span, reason: str, read: list[tuple[Span, str]]) -> Gap:
    left = remaining(span, [span_read for span_read, _ in read])
    by = {name for span_read, name in read if span_read.since < span.until and span_read.until > span.since}
    source, collector = reading
    recovered_by = tuple(sorted(by))
    return Gap(
        source=source, span=span, reason=reason, left=tuple(left), recovered_by=recovered_by, collector=collector
    )
