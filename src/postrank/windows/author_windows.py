"""Author windows in event time: tumbling minutes that close by a watermark, and a sliding view of the newest 60 s.

A tumbling window is `[start, start + 60 s)`, final once the watermark (newest event time less the allowed lateness)
has passed its end; a later post emits it again with the higher count. A sliding window is `(t - 60 s, t]`, t every 5
s.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, compress

from postrank.documents import Document
from postrank.posts import Post
from postrank.posts.times import milliseconds
from postrank.windows.author_numbers import Author, Authors
from postrank.windows.grouping import grouped
from postrank.windows.minute_counts import MINUTE_MS, Minutes
from postrank.windows.seen_posts import Seen
from postrank.windows.sliding_view import Sliding
from postrank.windows.window import Window, window

EDIT_HORIZON_MS = 3_600_000  # an edit of an unseen, older post is no sign that we should have counted the post now
SKEW_MS = 300_000  # a post dated further ahead than this is counted, but does not move the watermark
DAYS_AHEAD = 1  # days after today of which posts are counted; SQL ranks no later ones either
_SPARE = 10_000  # authors that nobody needs any more are looked for when there are so many, or twice those in use


@dataclass(slots=True)
class AuthorWindows:
    """Counts posts by author and minute.

    `add`, then now and then `take` what is to be emitted. Not for several threads.
    """

    lateness_ms: int = 30_000
    retained: int = 500_000  # author-minutes that are kept for late posts; the oldest go first
    rows: int = 50_000  # tumbling windows in one `take`, so that a minute of a million authors is no one shipment
    sliding: Sliding = field(default_factory=Sliding)
    seen: Seen = field(default_factory=Seen)
    authors: Authors = field(default_factory=Authors)
    too_late: int = 0  # posts of minutes that are no longer kept: SQL counts them, this does not
    duplicates: int = 0
    newest_ms: int | None = None
    _minutes: Minutes = field(default_factory=Minutes)
    _due: deque[tuple[int, int]] = field(default_factory=deque)  # minutes to be emitted, from which of their authors on
    _spare: int = _SPARE

    def add(self, posts: Sequence[Post], now_ms: int) -> int:
        """Count posts; each (network, post_id) once. `now_ms` bounds how far a skewed clock can move the watermark.

        Returns how many posts are dated so far ahead that they are in no window.
        """
        end = _end_of_time(now_ms)
        ahead = sum(post.posted_at >= end for post in posts)
        if ahead:
            posts = [post for post in posts if post.posted_at < end]
        networks = {post.network for post in posts}
        for network in networks:
            some = posts if len(networks) == 1 else [post for post in posts if post.network == network]
            self._add(network, some, now_ms + SKEW_MS)
        return ahead

    def _add(self, network: str, posts: Sequence[Post], ahead: int) -> None:
        # One pass in C for each step, instead of one loop over all of them: this is done for every post of a stream.
        if "edit" in {post.kind for post in posts}:
            posts = self._without_old_edits(posts)
        places = self.seen.add([f"{network}\n{post.post_id}" for post in posts])
        if len(places) < len(posts):
            self.duplicates += len(posts) - len(places)
            posts = [posts[place] for place in places]
        if not posts:
            return
        texts = [post.posted_at for post in posts]
        distinct = set(texts)
        self._move_on(distinct, ahead)
        numbers = self.authors.numbers([(network, post.author_id, post.author_handle) for post in posts])
        for (minute, slot), some in grouped(distinct, texts, numbers):
            self._minutes.add(minute, some)
            self.sliding.add(slot, some)

    def take(self, *, ended: bool = False) -> tuple[list[Window], Document]:
        """What is to be emitted now, and what `restore` needs to bring the state to this point from the last `take`.

        `ended`: nothing more will come, so every window is final. While `pending`, there is more to be taken.
        """
        minutes = self._minutes
        changes: Document = {
            "authors": self.authors.changes(),
            "minutes": minutes.changes(),
            "seen": self.seen.take_new(),
            "newest_ms": self.newest_ms,
        }
        late = [self._tumbling(*late_minute) for late_minute in minutes.merge()]
        self._due.extend((minute, 0) for minute in minutes.close(self._closing(ended)))
        emitted = [*late, *self._emit()]
        emitted += [self._slid(*late_minute) for late_minute in self.sliding.take(self.newest_ms, ended=ended)]
        # A minute counts as closed when the last of its windows was emitted: after a crash it is emitted as a whole.
        changes["closed"] = self._due[0][0] - 1 if self._due else minutes.closed
        self._forget()
        return emitted, changes

    @property
    def pending(self) -> bool:
        """Whether there are final windows that the last `take` had no room for."""
        return bool(self._due)

    def restore(self, changes: Document) -> None:
        """Take over what `take` or `snapshot` gave before a restart, in the same order."""
        self.seen.restore(changes["seen"])
        self.newest_ms = changes["newest_ms"]
        if (retained := changes["authors"]["kept"]) is not None:
            self._keep(retained)
        self.authors.restore(changes["authors"])
        self._minutes.forgotten = changes.get("forgotten", self._minutes.forgotten)
        self._minutes.restore(changes["minutes"], changes["closed"])
        self._minutes.forget(self.retained)

    def snapshot(self) -> Document:
        """The whole state, as `restore` takes it; nothing may have been added since the last `take`."""
        return {
            "authors": self.authors.snapshot(),
            "minutes": self._minutes.snapshot(),
            "forgotten": self._minutes.forgotten,
            "seen": self.seen.all(),
            "newest_ms": self.newest_ms,
            "closed": self._due[0][0] - 1 if self._due else self._minutes.closed,
        }

    def top(self, number: int) -> list[tuple[Author, int]]:
        """The authors with most posts in the newest 60 s of event time, and how many."""
        if self.newest_ms is None:
            return []
        return [(self.authors.author(author), posts) for author, posts in self.sliding.top(number, self.newest_ms)]

    def _move_on(self, instants: Collection[str], ahead: int) -> None:
        newest: int | None = milliseconds(max(instants))
        if newest is not None and newest > ahead:
            newest = max((moment for moment in map(milliseconds, instants) if moment <= ahead), default=None)
        if newest is not None and (self.newest_ms is None or newest > self.newest_ms):
            self.newest_ms = newest

    def _without_old_edits(self, posts: Sequence[Post]) -> Sequence[Post]:
        if self.newest_ms is None:
            return posts
        horizon = self.newest_ms - EDIT_HORIZON_MS
        return [post for post in posts if post.kind != "edit" or milliseconds(post.posted_at) >= horizon]

    def _closing(self, ended: bool) -> int | None:
        """The last minute that is final now."""
        if ended:
            return self._minutes.last
        return None if self.newest_ms is None else (self.newest_ms - self.lateness_ms) // MINUTE_MS - 1

    def _emit(self) -> Iterator[Window]:
        """The windows that are due, as many as one `take` may hold."""
        room = self.rows
        while self._due and room:
            minute, done = self._due.popleft()
            windows = self._minutes.closed_counts(minute, done, done + room)
            for number, posts in windows:
                yield self._tumbling(minute, number, posts)
            if len(windows) == room:
                self._due.appendleft((minute, done + room))
            room -= len(windows)

    def _tumbling(self, minute: int, number: int, posts: int) -> Window:
        end_ms = (minute + 1) * MINUTE_MS
        return window(self.authors.author(number), end_ms, "tumbling", posts)

    def _slid(self, number: int, end_ms: int, posts: int) -> Window:
        return window(self.authors.author(number), end_ms, "sliding", posts)

    def _forget(self) -> None:
        """Let the oldest minutes go, and authors that no minute holds."""
        if not self._due:
            self.too_late += self._minutes.forget(self.retained)
        if len(self.authors) + self.authors.rewritten < self._spare:
            return
        used = bytearray(len(self.authors))  # a flag for each
        for number in chain(*self._minutes.alive(), *self.sliding.alive()):
            used[number] = 1
        number = used.count(1)
        if number < 0.8 * len(used) or self.authors.rewritten:
            self._keep(compress(range(len(used)), used))
        self._spare = 2 * number + _SPARE

    def _keep(self, numbers: Iterable[int]) -> None:
        renumbered = self.authors.keep(numbers)
        self._minutes.renumber(renumbered)
        self.sliding.renumber(renumbered)


def _end_of_time(now_ms: int) -> str:
    """The first instant, as posts write it, of the day from which on posts are in no window."""
    try:
        today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
        return (today + timedelta(days=DAYS_AHEAD + 1)).isoformat()
    except (OverflowError, ValueError, OSError):  # the calendar ends before
        return "~"
