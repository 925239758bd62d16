"""What a run of `backfill_posts` reads again: its request, checked, and the slices that it asks a host for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from postrank.aws.resources import MAIN
from postrank.collectors.registry import Entry
from postrank.documents import JsonObject
from postrank.gaps.open_gaps import Gap, Span, slices
from postrank.posts.times import to_text
from postrank.ranking.request import TIME_PATTERN, BadRequest
from postrank.suggestions import nearest

SOURCES = LEDGER, SEARCH, TIMELINES, BLUESKY, ARCHIVE = ("ledger", "x-search", "mastodon", "bluesky", "archive")
COMPLIANCE = "x-compliance"
COMPLIANCE_OF_USERS = "x-compliance-users"
FILE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._=/-]{0,299}$"  # as the SSM document has it
SEARCH_REACH = timedelta(days=7)  # X API, "GET /2/tweets/search/recent"
SETTLING = timedelta(minutes=1)  # a span may end no nearer to now: searches and timelines lag behind
MOST_SLICES = 500
_LEAST_SHARE = 0.05  # US dollars: a page of ten posts, the least that X's search gives
_WAYS = {"x": SEARCH, "mastodon": TIMELINES}  # by the source that the ledger names
_BY_HAND = {**_WAYS, "bluesky": BLUESKY}  # its streamer closes gaps itself if it has a gap_source; else none can
_HINTS = {"bluesky": "its streamer closes it if gap_source is set; or read the span by hand from the source bluesky"}

Slice = dict[str, list[str]]  # the parameters of the SSM document


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequest:
    """The parameters of a backfill. `span` is None when the gap ledger says what to read; `collector` when the source
    does.
    """

    source: str
    span: Span | None
    archives: tuple[str, ...]
    length: timedelta  # of a slice
    budget: float  # US dollars, of X's posts
    collector: str | None = None

    @classmethod
    def of(cls, params: JsonObject, as_of: datetime) -> "RecoveryRequest":
        """Read a DAG run's params. Raises BadRequest; their JSON schema has refused most nonsense before."""
        source = params["source"]
        archives = tuple(params["archives"])
        if source not in SOURCES:
            raise BadRequest("source", f"{source!r} is none of {', '.join(SOURCES)}")
        if bad := [archive for archive in archives if not re.fullmatch(FILE_PATTERN, archive) or ".." in archive]:
            raise BadRequest("archives", f"{bad[0]!r} is no name of a file below archives/")
        if bool(archives) != (source == ARCHIVE):
            raise BadRequest("archives", f"files are for the source {ARCHIVE}, which needs them")
        return cls(
            source=source,
            span=_span(params, source, as_of),
            archives=archives,
            length=timedelta(minutes=params["slice_minutes"]),
            budget=float(params["budget_usd"]),
            collector=params.get("collector") or None,
        )


def plan(
    request: RecoveryRequest, gaps: Sequence[Gap], as_of: datetime, collectors: Sequence[Entry] = (Entry(MAIN),)
) -> list[Slice]:
    """The slices to read: of the asked span, or of what is left of the ledger's gaps. Raises BadRequest."""
    if request.collector and request.collector not in (names := [entry.name for entry in collectors]):
        hint = nearest(request.collector, names)
        raise BadRequest("collector", f"there is no {request.collector!r}{hint}; there are {', '.join(names)}")
    if request.span:
        planned = list(_requested(request, request.span, _reader(request, collectors)))
    else:
        planned = list(_of_gaps(request, gaps, as_of))
    if len(planned) > MOST_SLICES:
        raise BadRequest("slice_minutes", f"would make {len(planned)} slices, of which a run takes {MOST_SLICES}")
    paid = sum(slice_["Source"] == [SEARCH] for slice_ in planned)
    share = int(request.budget * 100 / paid) / 100 if paid else 0.0
    if paid and share < _LEAST_SHARE:
        raise BadRequest("budget_usd", f"{request.budget:.2f} for {paid} slices leaves {share:.2f} for each")
    return [{**slice_, "Budget": [f"{share:.2f}"]} for slice_ in planned]


def out_of_reach(gaps: Sequence[Gap], as_of: datetime) -> list[str]:
    """What is left of the gaps that nothing can read again, each with its reason."""
    unreachable = []
    for gap in gaps:
        whose = "" if gap.collector == MAIN else f" of {gap.collector}"
        words = f"{gap.source}{whose} {to_text(gap.span.since)} to {to_text(gap.span.until)}"
        if gap.left and gap.source not in _WAYS:
            hint = _HINTS.get(gap.source, f"{gap.source} keeps no past to search; an archive may hold it")
            unreachable.append(f"{words}: {hint}")
        elif gap.left and gap.source == "x" and gap.left[0].since < as_of - SEARCH_REACH:
            unreachable.append(f"{words}: X's recent search reaches back seven days")
    return unreachable


def _reader(request: RecoveryRequest, collectors: Sequence[Entry]) -> str:
    """The collector that reads a span by hand. Raises BadRequest where it must be named, or cannot read the source."""
    kind = {way: source for source, way in _BY_HAND.items()}.get(request.source)
    able = [entry.name for entry in collectors if kind is None or entry.source in ("", kind)]
    if request.collector:
        if request.collector not in able:
            raise BadRequest("collector", f"{request.collector} reads no {kind}")
        return request.collector
    if not able:
        raise BadRequest("source", f"no collector reads {kind}")
    if kind and len(able) > 1:
        raise BadRequest("collector", f"{', '.join(able)} all read {kind}: name one of them")
    return able[0]


def _requested(request: RecoveryRequest, span: Span, reader: str) -> Iterator[Slice]:
    if request.source == ARCHIVE:
        yield from ({**_slice(ARCHIVE, span, reader), "File": [file]} for file in request.archives)
    else:
        yield from (_slice(request.source, part, reader) for part in slices(span, request.length))


def _of_gaps(request: RecoveryRequest, gaps: Sequence[Gap], as_of: datetime) -> Iterator[Slice]:
    for gap in gaps:
        if request.collector not in (None, gap.collector):
            continue
        for part in gap.left if gap.source in _WAYS else ():
            since = max(part.since, as_of - SEARCH_REACH + SETTLING) if gap.source == "x" else part.since
            reachable = Span(since, min(part.until, as_of - SETTLING))
            parts = slices(reachable, request.length)
            yield from (_slice(_WAYS[gap.source], span, gap.collector) for span in parts)


def _slice(source: str, span: Span, collector: str) -> Slice:
    parameters = {"Source": [source], "From": [to_text(span.since)], "To": [to_text(span.until)]}
    return parameters if collector == MAIN else {"Collector": [collector], **parameters}


def compliance_slice(source: str, file: str, as_of: datetime, collector: str) -> Slice:
    """The command that has X check a list of ids of posts (COMPLIANCE) or users; it has no span."""
    moment = Span(as_of, as_of)
    return {**_slice(source, moment, collector), "File": [file]}


def reader_of(slice_: Slice) -> str:
    """The collector that reads a slice."""
    return slice_.get("Collector", [MAIN])[0]


def _span(params: JsonObject, source: str, as_of: datetime) -> Span | None:
    start = _moment("span_start", params)
    end = _moment("span_end", params)
    if source == LEDGER:
        if start or end:
            raise BadRequest("source", f"the {LEDGER} names its own spans: choose what to read the span from")
        return None
    if start is None or end is None:
        raise BadRequest("span_start" if start is None else "span_end", f"is needed to read from {source}")
    if not start < end <= as_of - SETTLING:
        raise BadRequest("span_end", f"{to_text(end)} must be after span_start and at least a minute ago")
    if source == SEARCH and start < as_of - SEARCH_REACH:
        raise BadRequest("span_start", f"{to_text(start)} is more than seven days ago, where X's recent search ends")
    return Span(start, end)


def _moment(parameter: str, params: JsonObject) -> datetime | None:
    value = params.get(parameter)
    if value in (None, ""):
        return None
    if not re.fullmatch(TIME_PATTERN, str(value)):
        raise BadRequest(parameter, f"{value!r} is not a time like 2026-11-24T05:00:00Z")
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(parameter, f"{value!r} is no time: {error}") from error
