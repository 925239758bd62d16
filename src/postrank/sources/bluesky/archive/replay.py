"""The replay of the network: what Jetstream's archive holds of a span, block by block, deletes included.

`listSegments` says which sequence numbers a span has, `planSnapshot` which blocks may hold what is wanted, `getBlock`
gives one (Jetstream's lexicons). A plan names too much rather than too little: rows are chosen here. The newest events
are in a segment that is not sealed yet, and come later.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from postrank.documents import Document, JsonObject
from postrank.options import Secret
from postrank.posts import Event, Ignored, Malformed
from postrank.posts.formats.networks import bluesky_records as records
from postrank.posts.times import EPOCH
from postrank.sources import Batch
from postrank.sources.bluesky.archive import dag_cbor
from postrank.sources.bluesky.archive.blocks import ACCOUNT, DELETE, OPERATIONS, Row, rows
from postrank.sources.bluesky.archive.requests import Answered, Requests, parsed
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import NotAtAll, NotNow

_XRPC = "xrpc/network.bsky.jetstream"
_SEALING = 300.0  # seconds until a segment may have been sealed
_SEGMENTS = 1000  # in a page of the list
_NO_BLOCK = "BlockNotFound"


@dataclass(slots=True)
class _Plan:
    """The blocks that are still to be read, of one span from one sequence number on."""

    key: tuple[datetime, datetime, int]
    through: int  # the last sequence number of the span
    sealed: bool  # whether the archive holds the span to its end
    blocks: deque[tuple[str, int]]
    whole: set[str]  # segments whose number of blocks the plan leaves open
    planned: int  # the sequence number up to which the blocks reach


@dataclass(slots=True, kw_only=True)
class NetworkReplay:
    """Pages of the archive, a block each. A place is the sequence number up to which all was read."""

    host: str
    collections: Collection[str]
    dids: Collection[str] = ()
    key: Secret | None = None
    recovered_by: str = "replay"
    keeps: bool = False  # whether the JSON of posts is wanted
    requests: Requests = field(default_factory=Requests)
    _plan: _Plan | None = None

    def page(self, since: datetime, until: datetime, place: str | None) -> tuple[Batch, str | None]:
        """Raises NotNow (also until the end of the span is sealed), NotAtAll."""
        after = int(place) if place else 0
        plan = self._plan
        if plan is None or plan.key != (since, until, after):
            plan = self._planned(since, until, after)
        gathered = Gathering(where=f"bluesky:{self.host}:archive", keeps=self.keeps)
        if not plan.blocks and plan.planned < plan.through:
            self._more(plan)
        if plan.blocks:
            after = self._block(plan, (since, until), after, gathered)
        if not plan.blocks:
            after = max(after, plan.planned)
        plan.key = (since, until, after)
        self._plan = plan
        if plan.blocks or plan.planned < plan.through:
            return gathered.take(None), str(after)
        if not plan.sealed and not gathered.read:
            raise NotNow(f"{self.host} has not sealed what it saw until {until:%Y-%m-%d %H:%M} UTC", _SEALING)
        self._plan = None
        return gathered.take(None), None if plan.sealed else str(after)

    def _planned(self, since: datetime, until: datetime, after: int) -> _Plan:
        """Raises NotAtAll where the archive begins only after the span."""
        first, through, newest = self._numbers(_microseconds(since), _microseconds(until))
        plan = _Plan(
            key=(since, until, after),
            through=through,
            sealed=newest >= _microseconds(until),
            blocks=deque(),
            whole=set(),
            planned=max(after, first - 1),
        )
        self._more(plan)
        return plan

    def _numbers(self, since_us: int, until_us: int) -> tuple[int, int, int]:
        """The first and the last sequence number of the segments of a span, and the newest time that is sealed."""
        first = through = newest = 0
        oldest = None
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": _SEGMENTS}
            if cursor:
                params["cursor"] = cursor
            page = self._json("listSegments", params=params)
            for segment in page.get("segments") or ():
                begins, ends = _times(segment)
                oldest = begins if oldest is None else oldest
                newest = max(newest, ends)
                if ends >= since_us and begins < until_us:
                    first = first or segment["minSeq"]
                    through = max(through, segment["maxSeq"])
            cursor = page.get("cursor")
            if not cursor:
                break
        if oldest is not None and oldest >= until_us:
            raise NotAtAll(f"the archive of {self.host} begins at {_to_time(oldest):%Y-%m-%d %H:%M} UTC")
        return first or 1, through, newest

    def _more(self, plan: _Plan) -> None:
        """The next page of the plan."""
        if plan.planned >= plan.through:
            return
        filters = {"collections": sorted(self.collections), "dids": sorted(self.dids)}
        request = {"afterSeq": plan.planned, "beforeSeq": plan.through, **filters}
        page = self._json("planSnapshot", json=request)
        for segment in page.get("segments") or ():
            if segment["mode"] == "segment":
                plan.whole.add(segment["name"])
                plan.blocks.append((segment["name"], 0))
            for part in segment.get("blocks") or ():
                plan.blocks.extend((segment["name"], number) for number in range(part["first"], part["last"] + 1))
        if page["plannedThroughSeq"] <= plan.planned:
            raise NotNow(f"{self.host} plans no further than {plan.planned}", _SEALING)
        plan.planned = page["plannedThroughSeq"]

    def _block(self, plan: _Plan, span: tuple[datetime, datetime], after: int, gathered: Gathering) -> int:
        """Take in the next block; returns the sequence number up to which all was read."""
        name, number = plan.blocks[0]
        try:
            frame = self._ask("getBlock", params={"segment": name, "blockIndex": number})
        except Answered as answered:
            if answered.name != _NO_BLOCK or name not in plan.whole:
                raise
            plan.blocks.popleft()
            return after
        try:
            for row in rows(frame):
                if row.seq > after and _microseconds(span[0]) <= row.witnessed_us < _microseconds(span[1]):
                    self._row(row, gathered)
                after = max(after, row.seq)
        except Malformed as malformed:
            raise NotAtAll(f"{self.host}: block {number} of {name}: {malformed}") from malformed
        plan.blocks.popleft()
        if name in plan.whole:
            plan.blocks.appendleft((name, number + 1))
        return after

    def _row(self, row: Row, gathered: Gathering) -> None:
        if self.dids and row.did not in self.dids:
            return
        if row.kind in OPERATIONS and row.collection not in self.collections:
            return
        if row.kind not in OPERATIONS and row.kind != ACCOUNT:
            return
        try:
            gathered.add(_event(row, gathered, self.collections), row.payload)
        except Malformed as malformed:
            gathered.add(malformed, row.payload)

    def _json(
        self, name: str, params: Mapping[str, str | int] | None = None, json: JsonObject | None = None
    ) -> JsonObject:
        return parsed(self.host, self._ask(name, params, json))

    def _ask(self, name: str, params: Mapping[str, str | int] | None = None, json: JsonObject | None = None) -> bytes:
        return self.requests.body(f"{self.host}/{_XRPC}.{name}", key=self.key, params=params, json=json)


def _event(row: Row, gathered: Gathering, collections: Collection[str]) -> Event | Ignored:
    """Raises Malformed."""
    seen_at = _to_time(row.witnessed_us)
    if row.kind == ACCOUNT:
        outcome = records.account(row.did, dag_cbor.decode(row.payload), seen_at)
    else:
        body: Document = {"collection": row.collection, "rkey": row.rkey, "operation": OPERATIONS[row.kind]}
        if row.kind != DELETE:
            body["record"] = dag_cbor.decode(row.payload)
        outcome = records.commit(row.did, body, seen_at, gathered.repairs, collections)
    if not isinstance(outcome, Ignored):
        outcome.source_cursor = str(row.seq)
    return outcome


def _times(segment: JsonObject) -> tuple[int, int]:
    """When its first and last event were seen, in microseconds; servers differ in what they call that."""
    name = "WitnessedAt" if "minWitnessedAt" in segment else "IndexedAt"
    return segment[f"min{name}"], segment[f"max{name}"]


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _to_time(time_us: int) -> datetime:
    """The moment, cut to the millisecond."""
    return EPOCH + timedelta(milliseconds=time_us // 1000)
