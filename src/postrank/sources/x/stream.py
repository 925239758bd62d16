"""The X source: the filtered stream, connected by X's rules, watched, paid for within a budget."""

import logging
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlencode

import orjson

from postrank.options import Options, Secret
from postrank.posts import Malformed
from postrank.posts.times import parse_rfc3339, to_text
from postrank.sources import Batch, Cursor, Gap, Source, Surroundings
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import TICK, Limit, pause
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import Recovery
from postrank.sources.net.receiving import Lost, Refused, Stream
from postrank.sources.x import rules
from postrank.sources.x.api import Api, XRefused, XUnavailable, refusal
from postrank.sources.x.budget import Spend
from postrank.sources.x.handle_rules import Following
from postrank.sources.x.messages import StreamError, absorb, is_crowded
from postrank.sources.x.options import api_of, spend_of
from postrank.sources.x.reconnecting import CONNECTS, QUARTER, Reconnecting
from postrank.sources.x.search import OVERLAP, SEARCHES, SETTLING, RecentSearch
from postrank.sources.x.volume_watch import VolumeWatch

log = logging.getLogger(__name__)
_PATHS = {"filtered": "/2/tweets/search/stream", "sample": "/2/tweets/sample/stream"}
_RULES = "/2/tweets/search/stream/rules"
_FILES_SECONDS = 2.0  # between looks at the file of handles
_LINE_LIMIT = 16 << 20  # bytes
_LEAST_POST = 250  # bytes of a stream object, at least


@dataclass(frozen=True, slots=True)
class _Adjustment:
    """Rules that are to replace those of the stream, and who waits for it."""

    rules: list[rules.Rule] | None
    following: Following | None
    taken: "Future[None]" = field(default_factory=Future)


@dataclass(slots=True, kw_only=True)
class XStream:
    """Posts, edits and deletes of X's filtered stream.

    Cursor: `{"at": <the last moment up to which the stream was read>, "gaps": [<what is still to be searched>, ...]}`.
    The stream cannot be resumed: the time between the cursor and the next connection is a gap, which recent search
    fills when it has a query, while the stream is read on.
    """

    api: Api
    token: Secret
    host: str
    spend: Spend
    rules: list[rules.Rule] | None  # None: leave them as they are
    following: Following | None = None  # more rules
    path: str = _PATHS["filtered"]
    stall_seconds: float = 20.0
    volume: VolumeWatch
    recovery: Recovery
    searches: Limit  # of recent searches, whoever makes them
    ways: Reconnecting = field(default_factory=Reconnecting)
    name: str = "x"
    reconnects: int = 0
    zombies: int = 0
    _since: datetime | None = None  # when X was last heard
    _why: str = "the streamer was not running"
    adjustable: frozenset[str] = frozenset({"rules", "follow_file"})
    _look_due: float = 0.0
    _adjustment: "_Adjustment | None" = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, surroundings: Surroundings) -> Self:
        """`bearer_token`, `daily_budget` and `monthly_budget` (US dollars) are required.

        `stream`: "filtered", or "sample", which has no rules; `rules` (`[[source.rules]]`: `value`, `tag`) and those
        that `follow_file` (handles) makes, which X's are made to equal unless `manage_rules` is false;
        `gap_query`: the recent search that fills gaps (none without it); `price` of a post; `margin`: posts that may be
        on their way when the guard stops; `stall_seconds` of silence and `volume_share` of the usual volume that
        reconnect; `metrics`: whether to keep the counts of posts and authors; `places`: whether to keep the names of
        places; `connects` and `searches`: what X allows the app in a quarter of an hour.
        """
        kind = options.text("stream", "filtered", among=tuple(_PATHS))
        configured = rules.configured(options)
        following = Following.build(options)
        managed = configured if options.flag("manage_rules", True) and kind == "filtered" else None
        if managed is None and following is not None:
            options.wrong("follow_file", "makes rules: the stream must be filtered, and its rules managed")
        if managed == [] and following is None:
            options.wrong("rules", "is missing: without a rule the stream carries nothing")
        if following is not None and (number := len(configured) + len(following.rules())) > rules.MOST:
            options.wrong("follow_file", f"makes {number} rules with those configured; X takes {rules.MOST}")
        token, host, api = api_of(options, surroundings)
        spend = spend_of(options, surroundings)
        query = options.text("gap_query", "-")
        searches = Limit(options.whole("searches", SEARCHES, at_least=1), QUARTER, surroundings.state / "searches.json")
        search = None if query == "-" else RecentSearch(api=api, query=query, spend=spend, limit=searches)
        connects = Limit(options.whole("connects", CONNECTS, at_least=1), QUARTER, surroundings.state / "connects.json")
        return cls(
            api=api,
            token=token,
            host=host,
            spend=spend,
            rules=managed,
            following=following,
            path=_PATHS.get(kind, ""),
            stall_seconds=options.number("stall_seconds", 20.0, at_least=0.1),
            volume=VolumeWatch(share=options.number("volume_share", 0.1, at_most=1.0)),
            recovery=Recovery(search, settling=SETTLING, overlap=OVERLAP),
            ways=Reconnecting(connections=connects),
            searches=searches,
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """The stream from now on, and the gap since the cursor. Raises XRefused, RulesRefused."""
        if after:
            cursor = orjson.loads(after)
            self._since = parse_rfc3339(cursor["at"], "at")
            self.recovery.resume(cursor.get("gaps", ()))
        synced = self.rules is None
        while not self._stopped.is_set():
            try:
                if not synced:
                    yield from aside(self._sync, self._stopped)
                    synced = True
                yield from self._wait_for_budget()
                yield from pause(self.ways.connections.due(), self._stopped)
                stream = yield from aside(self._open, self._stopped)
                if stream is not None:
                    yield from self._follow(stream)
            except (Lost, StreamError, XUnavailable) as error:
                yield from self._after(error)

    def stop(self) -> None:
        self._stopped.set()

    def adjust(self, other: Source) -> Future[None]:
        """Replace the rules at X under the open stream."""
        assert isinstance(other, XStream)  # noqa: S101 the same kind of source
        adjustment = _Adjustment(other.rules, other.following)
        self._adjustment = adjustment
        return adjustment.taken

    def ask(self) -> str:
        """Asks for the rules, which costs nothing, also as the stream would be asked for.

        The stream itself would count as a connection, and might end that of a running streamer.
        Raises XRefused, XUnavailable, Unusable.
        """
        number = len(self.api.rules())
        try:
            self._connect(_RULES).close()
        except Lost as lost:
            raise XUnavailable(f"GET {_RULES} on the stream's connection", 0, str(lost)) from lost
        return f"X takes the token, and has {number} rules"

    def urls(self) -> list[str]:
        return [self.host]

    def gauges(self) -> Mapping[str, float]:
        """What was read and paid, and how the connection fares."""
        return {**self.spend.gauges(), "x_reconnects": self.reconnects, "x_zombies_ended": self.zombies}

    def _sync(self) -> None:
        rules.sync(self.api, [*(self.rules or []), *(self.following.rules() if self.following else [])])

    def _follow_anew(self) -> Iterator[Batch]:
        """Make X's rules anew, under the open stream, when the file of handles was written."""
        if time.monotonic() < self._look_due:
            return
        self._look_due = time.monotonic() + _FILES_SECONDS
        if (adjustment := self._adjustment) is not None:
            yield from self._adjust(adjustment)
        if self.following is None:
            return
        try:
            if self.following.changed():
                yield from aside(self._sync, self._stopped)
                log.info("handles read again", extra={"fields": {"rules": len(self.following.rules())}})
        except (OSError, ValueError, rules.RulesRefused, XUnavailable, XRefused) as error:
            log.warning("handles not read again", extra={"fields": {"why": str(error)}})

    def _adjust(self, adjustment: _Adjustment) -> Iterator[Batch]:
        """Have X take the new rules; while it is away, they are tried again at the next look."""
        before = (self.rules, self.following)
        self.rules = adjustment.rules
        self.following = adjustment.following
        error: Exception | None = None
        try:
            if self.rules is not None:
                yield from aside(self._sync, self._stopped)
        except XUnavailable as away:
            log.warning("rules not changed yet", extra={"fields": {"why": str(away)}})
            self.rules, self.following = before
            return
        except (OSError, ValueError, rules.RulesRefused, XRefused) as refused:
            error = refused
            self.rules, self.following = before
        if self._adjustment is adjustment:
            self._adjustment = None
        if error is None:
            adjustment.taken.set_result(None)
            log.info("rules changed", extra={"fields": {"rules": len(self.rules or [])}})
        else:
            adjustment.taken.set_exception(error)

    def _open(self) -> Stream:
        """Raises Lost, XRefused, XUnavailable."""
        self.ways.connections.note()
        return self._connect(f"{self.path}?{urlencode(self.api.fields)}")

    def _connect(self, target: str) -> Stream:
        """Raises Lost, XRefused, XUnavailable, Unusable."""
        headers = {"Authorization": f"Bearer {self.token.reveal()}", "User-Agent": self.api.user_agent}
        try:
            return Stream(self.host + target, headers, silence=self.stall_seconds, room=self._affordable)
        except Refused as refused:
            what = f"GET {target.partition('?')[0]}"
            raise refusal(what, refused.status, refused.headers, refused.body) from None

    def _affordable(self) -> int:
        """Bytes that may wait unread: half of what the budgets hold, since as much may be on its way to the count."""
        return max(self.spend.known_room() * _LEAST_POST // 2, _LEAST_POST)

    def _follow(self, stream: Stream) -> Iterator[Batch]:
        """Batches of one connection until it is lost, the budget is spent or the source is stopped."""
        gathered = Gathering(where=f"x:{self.path}", observes=self.api.metrics, keeps=self.api.keeps_originals)
        rest = b""
        late = self._connected()
        if late:
            gathered.gaps.append(late)
        try:
            while not self._stopped.is_set():
                data = stream.take(self.recovery.pace())
                error: Exception | None = None
                posts, rest, error = self._absorb(rest + data, gathered)
                self.spend.note(posts)
                yield self._take(gathered, heard=bool(data), behind=stream.behind)
                if error is not None:
                    raise error
                if over := self.spend.spent():
                    self._why = str(over)
                    return
                if self.volume.fallen(posts):
                    raise Lost("the volume fell away")
                if (page := self.recovery.work()) is not None:
                    page.cursor = self._cursor()  # of which the gap, or a part of it, has gone
                    yield page
                yield from self._follow_anew()
        finally:
            stream.close()

    def _absorb(self, data: bytes, gathered: Gathering) -> tuple[int, bytes, Exception | None]:
        """Take in whole lines; returns the posts, the unfinished line, and what ends the stream, if a line does."""
        *lines, rest = data.split(b"\n")
        posts = 0
        error = None
        for line in lines:
            if len(line) > 1:  # keep-alives are "\r\n"
                try:
                    posts += absorb(line, gathered)
                except StreamError as ended:
                    error = ended
        if len(rest) > _LINE_LIMIT:
            gathered.add(Malformed(f"line longer than {_LINE_LIMIT} bytes"), rest)
            return posts, b"", error or Lost("a line without end")
        return posts, rest, error

    def _take(self, gathered: Gathering, *, heard: bool, behind: bool) -> Batch:
        """A batch, and the time until which the stream is complete, whenever there was a sign of X."""
        if not heard:
            return gathered.take(None, heard=False)
        self.ways.worked()
        if not behind:  # else what came long ago still waits to be received
            self._since = datetime.now(UTC)
        return gathered.take(self._cursor())

    def _cursor(self) -> Cursor | None:
        if self._since is None:
            return None
        return orjson.dumps({"at": to_text(self._since), "gaps": self.recovery.to_cursor()}).decode()

    def _connected(self) -> Gap | None:
        """The gap that ends with this connection, also handed to the recovery."""
        now = datetime.now(UTC)
        since = self._since
        self._since = now  # the cursor says so with the first batch of the connection, which tells of the gap too
        if since is None:
            return None
        gap = Gap(since=min(since, now), until=now, reason=self._why)
        self.recovery.enqueue(gap)
        return gap

    def _wait_for_budget(self) -> Iterator[Batch]:
        """Wait, in good health, until reading may go on."""
        if over := self.spend.spent():
            log.warning("reading stopped", extra={"fields": {"source": "x", "why": str(over)}})
            self._why, self._since = str(over), self._since or datetime.now(UTC)
            while self.spend.spent() and not self._stopped.is_set():
                yield from self._follow_anew()
                yield from pause(TICK, self._stopped, heard=True)

    def _after(self, error: Exception) -> Iterator[Batch]:
        """What a lost connection calls for: ending zombies, waiting. Raises XRefused where waiting is no use."""
        detail = error.detail if isinstance(error, XUnavailable) else str(error)
        if "usage-cap" in detail.lower().replace("_", "-") or "usagecap" in detail.lower():
            raise XRefused(f"GET {self.path}", 429, detail) from None
        crowded = (isinstance(error, StreamError) and error.crowded) or is_crowded(detail)
        log.warning("x lost", extra={"fields": {"why": str(error)}})
        self.reconnects += 1
        self._why = str(error)
        if crowded:
            crowded = not (yield from self._end_zombies())
        yield from pause(self.ways.seconds_after(error, crowded=crowded), self._stopped)

    def _end_zombies(self) -> Generator[Batch, None, bool]:
        """X counts connections that nobody holds any more: have it end them (X API, "Stream Connections").

        Returns whether it did.
        """
        try:
            ghosts = yield from aside(self.api.connections, self._stopped)
            if ghosts:
                log.warning("ending zombie connections", extra={"fields": {"connections": len(ghosts)}})
                yield from aside(self.api.end_connections, self._stopped)
                self.zombies += len(ghosts)
                return True
        except (XUnavailable, XRefused) as error:
            log.warning("zombies not ended", extra={"fields": {"why": str(error)}})
        return False
