"""Where posts come from: one protocol, and one module or package for each kind of source.

A source reads, normalises and says where it stands. It never sends anything on, and never saves its own cursor: the
streamer does, once what was read is acknowledged.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from postrank.posts import Event, Notice, Post, Reject

Cursor: TypeAlias = str
"""Where a source stands, in the source's own form (mostly JSON). Opaque to everyone else."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Gap:
    """A span of the network's time that may be missing; it becomes a row of the gap ledger.

    `since` and `until` are aware UTC; `recovered_by` names what read the span later ("timeline", "recent-search"), if
    anything did.
    """

    since: datetime
    until: datetime
    reason: str
    recovered_by: str | None = None
    again: bool = False  # it was told before, while it was open


@dataclass(slots=True, frozen=True)
class Original:
    """A post as its network gave it: JSON in which it is the only post, or the one that the others come with."""

    post: Post
    json: bytes


@dataclass(slots=True, kw_only=True)
class Batch:
    """What a source read since its last batch, and the cursor from which it would go on.

    `read` is how many messages (lines, frames) were read: read = events + rejects + ignored, for every batch. A message
    that holds several events (a page of posts) counts as so many. A batch without events is a sign of life: sources
    yield one at least every second or so, also while the network is silent; `heard`: whether the network gave
    a sign (a keep-alive) in that time.
    """

    cursor: Cursor | None  # None: nothing to save yet
    events: list[Event] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    originals: list[Original] = field(default_factory=list)  # of posts among the events, where they are asked for
    notices: list[Notice] = field(default_factory=list)  # of what is ignored, what somebody should know
    ignored: Mapping[str, int] = field(default_factory=dict)  # kind of message: how many
    gaps: list[Gap] = field(default_factory=list)
    read: int = 0
    unknown_fields: int = 0  # fields that no parser knows, left out
    unknown_by_name: Mapping[str, int] = field(default_factory=dict)  # `<form>.<name>`: how many; a bounded table
    repaired: int = 0  # messages of which a detail could not be read and was left out
    heard: bool = True


class Source(Protocol):
    """One stream of posts. `read` is called in a thread of its own, `stop` and `gauges` from any thread."""

    name: str

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Yield batches in order, from just after the cursor (from the source's beginning or its present if None).

        An end is a return, a lost connection is a raise: Retryable makes the streamer call `read` again, after a
        jittered pause, with the cursor of the last batch; Fatal ends it. A source whose network has rules of its own
        for reconnecting keeps them inside `read`.
        """
        ...

    def stop(self) -> None:
        """Make `read` return soon (within about a second), whatever it is waiting for."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A source with figures of its own, such as what was spent."""

    def gauges(self) -> Mapping[str, float]:
        """Figures by metric name (snake case, unit last), for /metrics and CloudWatch."""
        ...


@runtime_checkable
class Askable(Protocol):
    """A source that can ask its network whether it would be served, without reading anything."""

    def ask(self) -> str:
        """What the network said, for a person, over a connection that is made as the stream's is.

        Raises Fatal or Retryable with what it refuses; shows no secret.
        """
        ...

    def urls(self) -> list[str]:
        """The URLs that the source connects to, as far as it knows them; those that `ask` learned are among them."""
        ...


@runtime_checkable
class Adjustable(Protocol):
    """A source some of whose options can change while it reads."""

    adjustable: frozenset[str]  # the keys of those options

    def adjust(self, other: Source) -> Future[None]:
        """Take these options over from `other`, a source of the same kind that was built from new options and is
        never read. The result comes when the network has taken them; after an error the options from before hold.
        """
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Surroundings:
    """What a source is given beside its own options."""

    state: Path  # a folder of its own, kept across restarts
    keeps_originals: bool = False  # whether batches are to hold the networks' JSON
