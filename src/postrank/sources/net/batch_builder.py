"""What a network source has read since its last batch. Shared by the sources that read messages of a network."""

from collections import Counter
from dataclasses import dataclass, field

import orjson

from postrank.documents import JsonObject
from postrank.posts import Event, Ignored, Malformed, Notice, Post, Reject
from postrank.posts.repairs import Repairs
from postrank.sources import Batch, Cursor, Gap, Original


@dataclass(slots=True)
class Gathering:
    """Collects outcomes until `take` makes a batch of them, so that read = events + rejects + ignored."""

    where: str  # the connection, as rejects name it
    observes: bool = False  # whether the counts that messages show are wanted
    keeps: bool = False  # whether the posts' JSON is wanted
    events: list[Event] = field(default_factory=list)
    originals: list[Original] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    read: int = 0
    repairs: Repairs = field(default_factory=Repairs)  # for the parsers of what is added
    _unknown: int = 0  # of `repairs`, as of the last batch

    def add(self, outcome: Event | Ignored | Malformed, message: bytes) -> None:
        """Take in what a message, or one part of it, was. A post's message is its original, unless it is empty."""
        self.read += 1
        if isinstance(outcome, Malformed):
            self.rejects.append(Reject(reason=str(outcome), line=message, where=self.where))
        elif isinstance(outcome, Ignored):
            self.ignored[outcome.kind] += 1
            if outcome.notice is not None:
                self.notices.append(outcome.notice)
        else:
            self.events.append(outcome)
            if self.keeps and message and isinstance(outcome, Post):
                self.originals.append(Original(outcome, message))

    def original(self, element: JsonObject) -> bytes:
        """The message of an element of a page, as `add` takes it; empty if originals are not kept."""
        return orjson.dumps(element) if self.keeps else b""

    def take(self, cursor: Cursor | None, *, heard: bool = True) -> Batch:
        """All of it as a batch; nothing is held afterwards."""
        batch = Batch(
            cursor=cursor,
            events=self.events,
            rejects=self.rejects,
            originals=self.originals,
            notices=self.notices,
            ignored=self.ignored,
            gaps=self.gaps,
            read=self.read,
            unknown_fields=self.repairs.unknown - self._unknown,
            unknown_by_name=self.repairs.take_fields(),
            heard=heard,
        )
        self.events, self.rejects, self.ignored, self.gaps = [], [], Counter(), []
        self.notices = []
        self.originals = []
        self.read = 0
        self._unknown = self.repairs.unknown
        return batch
