"""The spend guard: posts read times price, held against a daily and a monthly budget, kept on disk."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postrank.errors import Fatal
from postrank.sources.net.shared_document import SharedDocument

UNBOUNDED = 1 << 62
_MONTH = len("2026-11")
_PERIODS = 62  # of each length that are kept: a clock that was ahead for a while must not make the present forgotten


class BudgetSpent(Fatal):
    """Reading on could pass a budget."""

    def __init__(self, why: str, resumes: datetime) -> None:
        super().__init__(f"{why}; reading may go on from {resumes:%Y-%m-%d %H:%M} UTC")
        self.resumes = resumes


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the budgets, in US dollars."""

    day: float
    month: float


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Spend:
    """What was read in this UTC day and month. Amounts in US dollars; a budget of 0 means no reading at all.

    `note` makes a count durable before it returns, so that no restart forgets what was paid for. Several processes on
    one machine (a streamer and a backfill) may share the file: each sees what the others have read.
    """

    path: Path
    price: float  # of one post, above 0
    daily: float
    monthly: float
    cap: int = UNBOUNDED  # posts in a month, whatever they cost
    margin: int = 0  # posts that may be on their way when reading is stopped
    allowance: float = math.inf  # what this process may spend, within the budgets; asked for page by page, so exactly
    clock: Callable[[], datetime] = _now
    _document: SharedDocument[dict[str, int]] = field(init=False)  # posts by day and by month
    _own: int = 0  # posts that this process has read
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._document = SharedDocument(self.path, {})

    def note(self, posts: int) -> None:
        """Count posts that were read."""
        if not posts:
            return
        day, month = self._periods()
        self._own += posts
        with self._lock:
            self._document.change(lambda counts: _with(counts, posts, (day, month)))

    def room(self) -> int:
        """How many more posts may be asked for: what budgets and cap leave, less the margin. Raises KeptDamaged."""
        with self._lock:
            self._document.refresh()
        return self.known_room()

    def known_room(self) -> int:
        """The same as of the last look at the disk. From any thread."""
        day, month = self._periods()
        left = min(self.daily - self._dollars(day), self.monthly - self._dollars(month))
        posts = min(int(left / self.price + 1e-9), self.cap - round(self._dollars(month) / self.price))
        return max(min(posts - self.margin, self._allowed()), 0)

    def left(self) -> "Left":
        """What the budgets leave, as of now. Raises KeptDamaged."""
        with self._lock:
            self._document.refresh()
        day, month = self._periods()
        return Left(day=max(self.daily - self._dollars(day), 0.0), month=max(self.monthly - self._dollars(month), 0.0))

    def _allowed(self) -> int:
        """How many posts the allowance leaves."""
        if math.isinf(self.allowance):
            return UNBOUNDED
        return int(self.allowance / self.price + 1e-9) - self._own

    def spent(self, needed: int = 1) -> BudgetSpent | None:
        """Why so many posts more must not be read, and until when; None while they may."""
        if self.room() >= needed:
            return None
        day, month = self._periods()
        now = self.clock()
        if self._allowed() <= 0:
            return BudgetSpent(f"spend guard: this read may cost ${self.allowance:.2f}, which is spent", now)
        first = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
        posts = round(self._dollars(month) / self.price)
        if self.cap - posts - self.margin < needed:
            why = f"spend guard: {posts} of the {self.cap} posts of a month"
            resumes = first
        elif self.monthly - self._dollars(month) <= self.daily - self._dollars(day):
            why = f"spend guard: ${self._dollars(month):.2f} of the monthly ${self.monthly:.2f}"
            resumes = first
        else:
            resumes = now + timedelta(days=1)
            why = f"spend guard: ${self._dollars(day):.2f} of the daily ${self.daily:.2f}"
        midnight = resumes.replace(hour=0, minute=0, second=0, microsecond=0)
        return BudgetSpent(f"{why}, {self.margin} posts may be on their way", midnight)

    def gauges(self) -> Mapping[str, float]:
        """Posts and dollars of this day and month, as of the last read."""
        day, month = self._periods()
        return {
            "x_posts_day": self._document.value.get(day, 0),
            "x_posts_month": self._document.value.get(month, 0),
            "x_cap_month_posts": self.cap,
            "x_spent_day_usd": self._dollars(day),
            "x_spent_month_usd": self._dollars(month),
            "x_budget_day_usd": self.daily,
            "x_budget_month_usd": self.monthly,
            "x_paused_for_budget": float(not self.known_room()),
        }

    def _periods(self) -> tuple[str, str]:
        now = self.clock()
        return f"{now:%Y-%m-%d}", f"{now:%Y-%m}"

    def _dollars(self, period: str) -> float:
        return self._document.value.get(period, 0) * self.price


def _with(counts: Mapping[str, int], posts: int, periods: Sequence[str]) -> dict[str, int]:
    """The counts with so many posts more in each of the periods, and without the oldest ones."""
    total = {**counts, **{period: counts.get(period, 0) + posts for period in periods}}
    days = sorted((period for period in total if len(period) > _MONTH), reverse=True)
    months = sorted((period for period in total if len(period) == _MONTH), reverse=True)
    newest = {*days[:_PERIODS], *months[:_PERIODS], *periods}
    return {period: count for period, count in total.items() if period in newest}
