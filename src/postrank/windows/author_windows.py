"""Author windows in event time: tumbling minutes that close by a watermark, and a sliding view of the newest 60 s.

A tumbling window is `[start, start + 60 s)`, final once the watermark (newest event time less the allowed lateness)
has passed its end; a later post emits it again with the higher count. A sliding window is `(t - 60 s, t]`, t every 5
s.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from postrank.posts import Post
from postrank.posts.times import milliseconds
from postrank.windows.seen import Seen
from postrank.windows.sliding import STEP_MS, Sliding

MINUTE_MS = 60_000
EDIT_HORIZON_MS = 3_600_000  # an edit of an unseen, older post is no sign that we should have counted the post now
SKEW_MS = 300_000  # a post dated further ahead than this is counted, but does not move the watermark

Counts = dict[int, dict[str, int]]  # minute since 1970: author ("network\nauthor_id"): posts


class Window(NamedTuple):
    """One emission of one author's window; times in ms since 1970."""

    author: str  # "network\nauthor_id"
    handle: str | None
    start_ms: int
    end_ms: int
    kind: str  # "tumbling" or "sliding"
    posts: int
    final: bool


@dataclass(slots=True)
class AuthorWindows:
    """Counts posts by author and minute.

    `add`, then now and then `take` what is to be emitted. Not for several threads.
    """

    lateness_ms: int = 30_000
    retained: int = 500_000  # author-minutes that are kept for late posts; the oldest go first
    sliding: Sliding = field(default_factory=Sliding)
    seen: Seen = field(default_factory=Seen)
    too_late: int = 0  # posts of minutes that are no longer kept: SQL counts them, this does not
    duplicates: int = 0
    newest_ms: int | None = None
    _minutes: Counts = field(default_factory=dict)
    _delta: Counts = field(default_factory=dict)  # since the last `take`
    _handles: dict[str, str | None] = field(default_factory=dict)
    _new_handles: dict[str, str | None] = field(default_factory=dict)  # since the last `take`
    _handles_due: int = 10_000  # so many handles are looked through for those that nobody needs any more
    _kept: int = 0
    _forgotten: int | None = None  # minutes up to this one are no longer kept
    _closed: int | None = None  # minutes up to this one are final

    def add(self, posts: Iterable[Post], now_ms: int) -> None:
        """Count posts; each (network, post_id) once. `now_ms` bounds how far a skewed clock can move the watermark."""
        delta, handles, slot_of = self._delta, self._new_handles, self.sliding.slot
        minute = slot = slide = None  # those of the post before, which most often are those of the next
        counts: dict[str, int] = {}
        now, before, new = self.seen.now, self.seen.before, self.seen.new  # `Seen.add`, without a call for each post
        newest, ahead = self.newest_ms, now_ms + SKEW_MS
        for post in posts:
            network = post.network
            moment = milliseconds(post.posted_at)
            if post.kind == "edit" and newest is not None and moment < newest - EDIT_HORIZON_MS:
                continue
            key = f"{network}\n{post.post_id}"
            if key in now or key in before:
                self.duplicates += 1
                continue
            now.add(key)
            new.append(key)
            if (newest is None or moment > newest) and moment <= ahead:
                newest = moment
            author = f"{network}\n{post.author_id}"
            if moment // MINUTE_MS != minute:
                minute = moment // MINUTE_MS
                counts = delta.setdefault(minute, {})
            counts[author] = counts.get(author, 0) + 1
            handles[author] = post.author_handle
            if (moment - 1) // STEP_MS != slot:
                slot = (moment - 1) // STEP_MS
                slide = slot_of(slot)
            for totals in slide or ():
                totals[author] = totals.get(author, 0) + 1
        self.newest_ms = newest
        self.seen.rotate()

    def take(self, *, ended: bool = False) -> tuple[list[Window], dict[str, Any]]:
        """What is to be emitted now, and what `restore` needs to bring the state to this point from the last `take`.

        `ended`: nothing more will come, so every window is final.
        """
        closing = self._closing(ended)
        self._handles.update(self._new_handles)
        changes = {
            "minutes": {str(minute): counts for minute, counts in self._delta.items()},
            "handles": self._new_handles,
            "seen": self.seen.take_new(),
            "newest_ms": self.newest_ms,
            "closed": closing,
        }
        self._new_handles = {}
        emitted = [*self._merge(), *self._close(closing)]
        emitted += [self._slid(*one) for one in self.sliding.take(self.newest_ms, ended=ended)]
        self._forget()
        self._forget_handles()
        return emitted, changes

    def restore(self, changes: dict[str, Any]) -> None:
        """Take over what `take` or `snapshot` gave before a restart, in the same order."""
        self.seen.restore(changes["seen"])
        self._handles.update(changes["handles"])
        self._delta = {int(minute): counts for minute, counts in changes["minutes"].items()}
        self.newest_ms = changes["newest_ms"]
        for _ in self._merge():
            pass
        self._closed = changes["closed"]
        self._forgotten = changes.get("forgotten", self._forgotten)
        self._forget()

    def snapshot(self) -> dict[str, Any]:
        """The whole state, as `restore` takes it; nothing may have been added since the last `take`."""
        return {
            "minutes": {str(minute): counts for minute, counts in self._minutes.items()},
            "handles": self._handles,
            "seen": self.seen.all(),
            "newest_ms": self.newest_ms,
            "closed": self._closed,
            "forgotten": self._forgotten,
        }

    def top(self, number: int) -> list[tuple[str, str | None, int]]:
        """The authors with most posts in the newest 60 s of event time: author, handle, posts."""
        handles = {**self._handles, **self._new_handles} if self._new_handles else self._handles
        return [(author, handles.get(author), posts) for author, posts in self.sliding.top(number)]

    def _closing(self, ended: bool) -> int | None:
        """The last minute that is final now."""
        if self.newest_ms is None:
            return self._closed
        if ended:
            return max([*self._minutes, *self._delta], default=self._closed)
        closed = (self.newest_ms - self.lateness_ms) // MINUTE_MS - 1
        return closed if self._closed is None else max(closed, self._closed)

    def _merge(self) -> Iterator[Window]:
        """Take the new counts into the minutes; yields the windows that were final and have grown."""
        for minute, new in self._delta.items():
            if self._forgotten is not None and minute <= self._forgotten:
                self.too_late += sum(new.values())
                continue
            final = self._closed is not None and minute <= self._closed
            if minute not in self._minutes and not final:
                self._minutes[minute] = dict(new)  # `new` itself is what `take` gives away
                self._kept += len(new)
                continue
            counts = self._minutes.setdefault(minute, {})
            before = len(counts)
            for author, posts in new.items():
                counts[author] = counts.get(author, 0) + posts
                if final:
                    yield self._window(minute, author, counts[author])
            self._kept += len(counts) - before
        self._delta.clear()

    def _close(self, closing: int | None) -> Iterator[Window]:
        """The windows that have become final."""
        if closing is None:
            return
        for minute in sorted(m for m in self._minutes if m <= closing and (self._closed is None or m > self._closed)):
            for author, posts in self._minutes[minute].items():
                yield self._window(minute, author, posts)
        self._closed = closing

    def _window(self, minute: int, author: str, posts: int) -> Window:
        start = minute * MINUTE_MS
        return Window(author, self._handles.get(author), start, start + MINUTE_MS, "tumbling", posts, True)

    def _slid(self, author: str, end_ms: int, posts: int) -> Window:
        return Window(author, self._handles.get(author), end_ms - MINUTE_MS, end_ms, "sliding", posts, False)

    def _forget_handles(self) -> None:
        """Keep the handles of minutes that are still to be emitted; a late post brings its author's along."""
        if len(self._handles) < self._handles_due or self._closed is None:
            return
        alive = {author for minute, counts in self._minutes.items() if minute >= self._closed for author in counts}
        self._handles = {author: handle for author, handle in self._handles.items() if author in alive}
        self._handles_due = 2 * len(self._handles) + 10_000

    def _forget(self) -> None:
        """Let the oldest closed minutes go while there are more than are to be kept."""
        if self._kept <= self.retained or self._closed is None:
            return
        for minute in sorted(m for m in self._minutes if m <= self._closed):
            self._kept -= len(self._minutes.pop(minute))
            self._forgotten = minute
            if self._kept <= self.retained * 0.9:
                break
