"""From lines of bytes to batches: parsing, rejects with their place, counts. Shared by the sources that read lines."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from postrank.options import Options
from postrank.posts import Event, Ignored, Malformed, Notice, Post, Reject, Tombstone
from postrank.posts.formats.access_log import LogFormat
from postrank.posts.formats.detect import Outcome, parse_line
from postrank.posts.formats.x_stream import stream_post
from postrank.sources import Batch, Cursor

LINE_LIMIT = 16 << 20  # bytes; a page of 500 posts with all its includes has a few million


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

    def add_all(self, lines: Iterable[bytes], offset: int) -> int:
        """Take in lines that follow one another, the first at `offset`; returns the offset behind them."""
        where, note, plain = self.where, self.events.append, self.log is None
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
        if self.log is not None:
            outcomes, unknown = self.log.outcome(line, f"{self.identity}-{offset}"), 0
        else:
            outcomes, unknown = parse_line(line)
        self.unknown_fields += unknown
        for outcome in outcomes:
            self.read += 1
            kind = type(outcome)
            if kind is Post or kind is Tombstone:
                event = cast(Event, outcome)  # `is`, above, is faster than isinstance for what nearly every line is
                event.source_cursor = f"{self.where}:{offset}"
                self.events.append(event)
            elif isinstance(outcome, Malformed):
                self.rejects.append(Reject(reason=str(outcome), line=line, where=self.where, offset=offset))
            elif isinstance(outcome, Ignored):
                self.ignored[outcome.kind] += 1
                if outcome.notice is not None:
                    self.notices.append(outcome.notice)

    def reject(self, reason: str, line: bytes, offset: int) -> None:
        """Take in a line that cannot be parsed at all."""
        self.read += 1
        self.rejects.append(Reject(reason=reason, line=line, where=self.where, offset=offset))

    def take(self, cursor: Cursor | None, *, heard: bool = True) -> Batch:
        """What was collected, as a batch; the collection is empty afterwards."""
        batch = Batch(
            cursor=cursor,
            events=self.events,
            rejects=self.rejects,
            notices=self.notices,
            ignored=self.ignored,
            read=self.read,
            unknown_fields=self.unknown_fields,
            heard=heard,
        )
        self.events, self.rejects, self.notices, self.ignored = [], [], [], Counter()
        self.read = self.unknown_fields = 0
        return batch


def listed(options: Options) -> list[str]:
    """The option `files`, which must name one at least."""
    files = options.texts("files")
    if options.is_set("files") == []:
        options.wrong("files", "must name at least one file")
    return files
