"""What the streamer has taken and given: counts that always add up."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from postrank.posts import Event, Like, Log, Metrics, Post
from postrank.posts.field_counts import add_fields
from postrank.sources import Batch


@dataclass(slots=True)
class Counts:
    """Totals up to some cursor.

    read = posts + edits + deletes + likes + observations + logs + rejected + ignored; `filtered` of them were left out.
    """

    read: int = 0
    posts: int = 0
    edits: int = 0
    deletes: int = 0
    likes: int = 0
    observations: int = 0
    logs: int = 0
    rejected: int = 0
    ignored: int = 0
    filtered: int = 0
    gaps: int = 0
    gap_seconds: int = 0
    unknown_fields: int = 0
    repaired: int = 0
    window_lines: int = 0
    originals: int = 0  # posts whose original JSON is on disk or delivered
    originals_too_large: int = 0
    originals_left_out: int = 0  # for want of room on the disk
    future_posts: int = 0  # delivered, but dated so far ahead that they are in no window
    ignored_by_kind: dict[str, int] = field(default_factory=dict)
    unknown_by_name: dict[str, int] = field(default_factory=dict)
    first_posted_at: str | None = None
    last_posted_at: str | None = None

    @property
    def events(self) -> int:
        return self.posts + self.edits + self.deletes + self.likes + self.observations + self.logs

    @property
    def lines(self) -> int:
        """Lines of the posts stream."""
        return self.events - self.filtered

    def take(self, batch: Batch) -> None:
        """Count a batch."""
        self.read += batch.read
        self.rejected += len(batch.rejects)
        self.unknown_fields += batch.unknown_fields
        add_fields(self.unknown_by_name, batch.unknown_by_name)
        self.repaired += batch.repaired
        for kind, number in batch.ignored.items():
            self.ignored += number
            self.ignored_by_kind[kind] = self.ignored_by_kind.get(kind, 0) + number
        for gap in batch.gaps:
            if gap.again:
                continue
            self.gaps += 1
            self.gap_seconds += round((gap.until - gap.since).total_seconds())
        self._events(batch.events)

    def copy(self) -> "Counts":
        return replace(self, ignored_by_kind=dict(self.ignored_by_kind), unknown_by_name=dict(self.unknown_by_name))

    def _events(self, events: Sequence[Event]) -> None:
        posts = [event for event in events if type(event) is Post]
        edits = sum(post.kind == "edit" for post in posts)
        self.posts += len(posts) - edits
        self.edits += edits
        others = [event for event in events if type(event) is not Post] if len(posts) < len(events) else []
        logs = [event for event in others if type(event) is Log]
        likes = sum(type(event) is Like for event in others)
        observations = sum(type(event) is Metrics for event in others)
        self.logs += len(logs)
        self.likes += likes
        self.observations += observations
        self.deletes += len(others) - len(logs) - likes - observations
        timed: list[Post | Log] = [*posts, *logs]
        if times := {event.posted_at for event in timed}:
            first = min(times)
            last = max(times)
            self.first_posted_at = min(self.first_posted_at or first, first)
            self.last_posted_at = max(self.last_posted_at or last, last)
