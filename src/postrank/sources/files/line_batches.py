"""From lines of bytes to batches: parsing, rejects with their place, counts. Shared by the sources that read lines."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import orjson

from postrank.options import Options
from postrank.posts import Event, Ignored, Like, Log, Malformed, Metrics, Notice, Post, Reject, Tombstone
from postrank.posts.formats import observations, x_v1
from postrank.posts.formats.access_log import LogFormat
from postrank.posts.formats.detect import read_line
from postrank.posts.formats.json_repair import decoded
from postrank.posts.formats.networks import bluesky
from postrank.posts.formats.recognise import Outcome, outcomes_of
from postrank.posts.formats.x_stream import stream_post
from postrank.posts.repairs import Repairs
from postrank.posts.times import from_milliseconds
from postrank.sources import Batch, Cursor, Original

LINE_LIMIT = 16 << 20  # bytes; a page of 500 posts with all its includes has a few million
Parser: TypeAlias = Callable[[Any, int, Repairs], Outcome]
_PAGE = re.compile(rb'\s*(\[|\{\s*"(data|statuses|feed|posts|records|orderedItems)"\s*:\s*\[)')


@dataclass(slots=True)
class LineBatch:
    """Collects what lines hold until `take` makes a Batch of it."""

    where: str  # the file or stream that the lines come from, as rejects and `source_cursor` name it
    log: LogFormat | None = None  # None: JSON in any form that is known
    identity: str = ""  # of the file, whatever its name is by now; with the offset it is the id of a log's line
    events: list[Event] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    read: int = 0
    unknown_fields: int = 0
    parse: Parser | None = None  # reads decoded objects in a form of their own, by a mapping
    adapt: Callable[[Any], Any] | None = None  # completes decoded objects before they are read
    observes: bool = False  # whether the counts that objects of streams show are wanted
    keeps: bool = False  # whether the lines of posts are wanted as they are; of pages, those of a single post
    originals: list[Original] = field(default_factory=list)
    collections: tuple[str, ...] = ()  # of Bluesky, whose likes and reposts are wanted of Jetstream's events, too
    repaired: int = 0  # lines and posts of which details were left out
    _repairs: Repairs = field(default_factory=Repairs)

    def add_all(self, lines: Iterable[bytes], offset: int) -> int:
        """Take in lines that follow one another, the first at `offset`; returns the offset behind them."""
        where = self.where
        note = self.events.append
        plain = self.log is None and not self.observes and not self.keeps
        for line in lines:
            # Most lines of a large file are plain stream objects: for those, nothing else is called.
            if plain and (post := stream_post(line)) is not None:
                post.source_cursor = f"{where}:{offset}"
                note(post)
                self.read += 1
            else:
                self.add(line, offset)
            offset += len(line) + 1
        return offset

    def add(self, line: bytes, offset: int) -> None:
        """Take a line in; `offset` is that of its first byte in the decompressed bytes."""
        outcomes: Iterable[Outcome]
        before = self._repairs.count
        unknown_before = self._repairs.unknown
        if self.log is not None:
            outcomes = self.log.outcome(line, f"{self.identity}-{offset}")
        elif self.is_special:
            outcomes = self._special(line, offset)
        elif self.collections and (outcome := bluesky.engagement(line, self.collections, self._repairs)) is not None:
            outcomes = (outcome,)
        else:
            outcomes, _ = read_line(line, self._repairs)
        before_events = len(self.events)
        self.add_outcomes(outcomes, line, offset)
        if self.keeps and self.log is None:
            self._keep(line, self.events[before_events:])
        if self.observes and self.log is None:
            self.add_outcomes(_observed(line, self._repairs), line, offset)
        self.repaired += self._repairs.count > before
        self.unknown_fields += self._repairs.unknown - unknown_before

    def _keep(self, line: bytes, events: list[Event]) -> None:
        """Keep the line of a single post. A page would be kept once for each of its posts: its file has it."""
        if len(events) == 1 and isinstance(events[0], Post):
            self.originals.append(Original(events[0], line.rstrip(b"\r\n")))

    @property
    def is_special(self) -> bool:
        """Whether objects are read in another way than by what they are."""
        return self.parse is not None or self.adapt is not None

    def _special(self, line: bytes, offset: int) -> list[Outcome]:
        if not line.strip():
            return [Ignored("blank")]
        outcomes: list[Outcome] = []
        try:
            for message in decoded(line, self._repairs):
                if isinstance(message, Malformed):
                    outcomes.append(message)
                elif self.parse is not None:
                    outcomes.append(self.parse(message, offset, self._repairs))
                elif self.adapt is not None:
                    outcomes += outcomes_of(self.adapt(message), self._repairs)
        except Malformed as malformed:
            outcomes.append(malformed)
        return outcomes

    def add_outcomes(self, outcomes: Iterable[Outcome], line: bytes, offset: int) -> None:
        """Take in what a line or a row was read as."""
        for outcome in outcomes:
            self.read += 1
            kind = type(outcome)
            if kind is Post or kind is Tombstone or kind is Like or kind is Metrics or kind is Log:
                event = cast(Event, outcome)  # `is`, above, is faster than isinstance for what nearly every line is
                event.source_cursor = f"{self.where}:{offset}"
                self.events.append(event)
            elif isinstance(outcome, Malformed):
                reason = str(outcome)
                is_page = reason.startswith("not JSON") and _PAGE.match(line) is not None
                self.rejects.append(Reject(reason=reason, line=line, where=self.where, offset=offset, at_least=is_page))
            elif isinstance(outcome, Ignored):
                self.ignored[outcome.kind] += 1
                if outcome.notice is not None:
                    self.notices.append(outcome.notice)

    def reject(self, reason: str, line: bytes, offset: int, *, posts: int = 1, at_least: bool = False) -> None:
        """Take in what cannot be parsed at all; `posts` are lost with it, or more (`at_least`)."""
        self.read += 1
        self.rejects.append(
            Reject(reason=reason, line=line, where=self.where, offset=offset, posts=posts, at_least=at_least)
        )

    def ignore(self, kind: str, count: int = 1) -> None:
        """Take in what is no post and loses none."""
        self.read += count
        if count:
            self.ignored[kind] += count

    def take(self, cursor: Cursor | None, *, heard: bool = True) -> Batch:
        """What was collected, as a batch; the collection is empty afterwards."""
        batch = Batch(
            cursor=cursor,
            events=self.events,
            rejects=self.rejects,
            originals=self.originals,
            notices=self.notices,
            ignored=self.ignored,
            read=self.read,
            unknown_fields=self.unknown_fields,
            unknown_by_name=self._repairs.take_fields(),
            repaired=self.repaired,
            heard=heard,
        )
        self.events = []
        self.rejects = []
        self.notices = []
        self.originals = []
        self.ignored = Counter()
        self.read = 0
        self.unknown_fields = 0
        self.repaired = 0
        return batch


def _observed(line: bytes, repairs: Repairs) -> Iterable[Outcome]:
    """The counts in an object of API v1.1 that a stream gave, whose time is that of the observation."""
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ()
    if type(message) is not dict or not x_v1.is_post(message) or message.get("timestamp_ms") is None:
        return ()
    try:
        at = from_milliseconds(message["timestamp_ms"], "timestamp_ms")
    except Malformed:
        return ()
    return observations.of_x_v1(message, at, repairs)


def listed(options: Options) -> list[str]:
    """The option `files`, which must name one at least."""
    files = options.texts("files")
    if options.is_set("files") == []:
        options.wrong("files", "must name at least one file")
    return files
