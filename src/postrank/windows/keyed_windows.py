"""Windows by any field of posts and requests: which, and how long, is configuration.

A window of a view is `[end - length, end)`, an end every `step` (a view whose step is its length tumbles). It is final
once the watermark (newest event time less the allowed lateness) has passed its end; an event that comes later emits the
windows that hold it again, with their higher counts. Events are counted by slots of a step, a window is the sum of its
slots; slots that are older than `KEPT_MS` are let go, and what comes for them is counted as too late.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from msgspec import Struct

from postrank.documents import Document
from postrank.posts import Event, Log, Post
from postrank.posts.times import milliseconds
from postrank.windows.seen_posts import Seen
from postrank.windows.window import instant_at

KEPT_MS = 3_600_000  # behind the watermark
AHEAD_MS = 86_400_000  # what is dated further ahead is in no window
SKEW_MS = 300_000  # an event that is dated further ahead is counted, and does not move the watermark
Key: TypeAlias = tuple[str, str]  # network, the field's value


class KeyedWindow(Struct, gc=False):
    """One emission of a window, in the data contract's fields. `kind` says by its name that it is no author's."""

    network: str
    view: str
    key: str
    value: str
    window_start: str
    window_end: str
    posts: int
    final: bool
    kind: str = "keyed"


@dataclass(frozen=True, slots=True)
class View:
    """What one set of windows counts: events of a kind (`log`, `post`), by a field, in windows of a length and step."""

    name: str
    of: str
    key: str
    length_ms: int
    step_ms: int
    at_least: int | None = None  # only events whose `status` is at least this

    def value(self, event: Event) -> str | None:
        """The key's value in an event; None where the event is not counted."""
        if self.of == "log":
            if type(event) is not Log or (self.at_least is not None and (event.status or 0) < self.at_least):
                return None
        elif type(event) is not Post or event.kind == "edit":
            return None
        value = getattr(event, self.key)
        return None if value is None else str(value)


# The fields that a view may count by.
VIEW_KEYS = {
    "log": ("network", "host", "user_name", "method", "path", "status", "referrer", "agent"),
    "post": ("network", "author_id", "lang", "source_app", "repost_of", "quote_of", "conversation_id"),
}
# What is counted unless a configuration says otherwise: nothing, until there are requests.
USUAL_VIEWS = (
    View("status_windows", "log", "status", 60_000, 60_000),
    View("server_errors", "log", "status", 300_000, 60_000, at_least=500),
)


@dataclass(slots=True)
class _Slots:
    """The counts of one view, by slot and key."""

    view: View
    counts: dict[int, Counter[Key]] = field(default_factory=dict)
    fresh: dict[int, Counter[Key]] = field(default_factory=dict)  # since the last `take`
    closed: int | None = None  # the last slot whose window, the one that ends with it, was emitted

    def add(self, moment: int, key: Key) -> None:
        self.fresh.setdefault(moment // self.view.step_ms, Counter())[key] += 1

    def merge(self) -> set[tuple[int, Key]]:
        """Take in what is fresh; the windows (by their last slot, and key) that have grown though they were final."""
        late: set[tuple[int, Key]] = set()
        for slot, counts in self.fresh.items():
            self.counts.setdefault(slot, Counter()).update(counts)
            if self.closed is not None and slot <= self.closed:
                last = min(slot + self._span - 1, self.closed)
                late |= {(end, key) for end in range(slot, last + 1) for key in counts}
        self.fresh = {}
        return late

    def close(self, watermark: int | None) -> Iterator[tuple[int, Key]]:
        """The windows that the watermark (ms) has passed since the last call; None: all there are."""
        if not self.counts:
            return
        last = max(self.counts) + self._span - 1 if watermark is None else watermark // self.view.step_ms - 1
        ends = {slot + ahead for slot in self.counts for ahead in range(self._span)}
        for end in sorted(end for end in ends if (self.closed is None or end > self.closed) and end <= last):
            keys = {key for slot in range(end - self._span + 1, end + 1) for key in self.counts.get(slot, ())}
            yield from ((end, key) for key in sorted(keys))
        if self.closed is None or last > self.closed:
            self.closed = last

    def total(self, end: int, key: Key) -> int:
        slots = range(end - self._span + 1, end + 1)
        return sum(self.counts[slot][key] for slot in slots if slot in self.counts)

    def forget(self, watermark: int) -> None:
        """Let slots go that no window needs any more which may still be emitted."""
        first = (watermark - KEPT_MS - self.view.length_ms) // self.view.step_ms
        for slot in [slot for slot in self.counts if slot < first]:
            del self.counts[slot]

    @property
    def _span(self) -> int:
        return self.view.length_ms // self.view.step_ms


@dataclass(slots=True)
class KeyedWindows:
    """All views. `add`, then now and then `take` what is to be emitted. Not for several threads."""

    views: Sequence[View] = ()
    lateness_ms: int = 30_000
    seen: Seen = field(default_factory=Seen)
    too_late: int = 0
    newest_ms: int | None = None
    _slots: list[_Slots] = field(init=False)
    _kinds: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._slots = [_Slots(view) for view in self.views]
        self._kinds = frozenset(view.of for view in self.views)

    def add(self, events: Iterable[Event], now_ms: int) -> None:
        """Count events; each (network, post_id) once. `now_ms` bounds how far a skewed clock moves the watermark."""
        if not self._slots:
            return
        counted = [event for event in events if self._may_count(event)]
        for place in self.seen.add([f"{event.network}\n{event.post_id}" for event in counted]):
            event = counted[place]
            moment = milliseconds(event.posted_at)
            if moment > now_ms + AHEAD_MS:
                continue
            if self.newest_ms is not None and moment < self.newest_ms - self.lateness_ms - KEPT_MS:
                self.too_late += 1
                continue
            for slots in self._slots:
                if (value := slots.view.value(event)) is not None:
                    slots.add(moment, (event.network, value))
            if moment <= now_ms + SKEW_MS:
                self.newest_ms = max(moment, self.newest_ms or moment)

    def _may_count(self, event: Event) -> TypeGuard[Post | Log]:
        """Whether any view counts events of this kind: a stream of posts pays nothing for views of logs."""
        return (type(event) is Log and "log" in self._kinds) or (type(event) is Post and "post" in self._kinds)

    def take(self, *, ended: bool = False) -> tuple[list[KeyedWindow], Document]:
        """What is to be emitted now, and what `restore` needs to bring the state to this point from the last `take`.

        `ended`: nothing more will come, so every window is final.
        """
        changes: Document = {"seen": self.seen.take_new(), "newest_ms": self.newest_ms, "views": {}}
        for slots in self._slots:
            changes["views"][slots.view.name] = {"added": _listed(slots.fresh)}
        emitted = [window for slots in self._slots for window in self._emit(slots, ended=ended)]
        for slots in self._slots:
            changes["views"][slots.view.name]["closed"] = slots.closed
            if self.newest_ms is not None:
                slots.forget(self.newest_ms - self.lateness_ms)
        return emitted, changes

    def restore(self, changes: Document) -> None:
        """Take over what `take` or `snapshot` gave before a restart; a view that was not there then begins now."""
        self.seen.restore(changes["seen"])
        self.newest_ms = changes["newest_ms"]
        for slots in self._slots:
            state: Document = changes["views"].get(slots.view.name, {"added": [], "closed": None})
            for slot, network, value, count in state["added"]:
                slots.fresh.setdefault(slot, Counter())[network, value] += count
            slots.merge()
            slots.closed = state["closed"]
            if self.newest_ms is not None:
                slots.forget(self.newest_ms - self.lateness_ms)

    def snapshot(self) -> Document:
        """The whole state, as `restore` takes it; nothing may have been added since the last `take`."""
        views = {slots.view.name: {"added": _listed(slots.counts), "closed": slots.closed} for slots in self._slots}
        return {"seen": self.seen.all(), "newest_ms": self.newest_ms, "views": views}

    def _emit(self, slots: _Slots, *, ended: bool) -> Iterator[KeyedWindow]:
        late = slots.merge()
        watermark = None if ended or self.newest_ms is None else self.newest_ms - self.lateness_ms
        for end, key in [*sorted(late), *slots.close(watermark)]:
            yield _window(slots.view, (end + 1) * slots.view.step_ms, key, slots.total(end, key))


def _window(view: View, end_ms: int, key: Key, posts: int) -> KeyedWindow:
    network, value = key
    start = instant_at(end_ms - view.length_ms)
    return KeyedWindow(network, view.name, view.key, value, start, instant_at(end_ms), posts, final=True)


def _listed(counts: Mapping[int, Counter[Key]]) -> list[tuple[int, str, str, int]]:
    return [(slot, *key, number) for slot, keys in counts.items() for key, number in keys.items()]
