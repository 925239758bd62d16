"""Words of posted days: a day is counted again as a whole whenever its partitions have changed.

So late posts, edits and deletions correct it. A word counts once a post; reposts are left out. Words of few posts are
not stored: they say more about an author than about the day.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from postrank.labels.budgets import Turn, WordLimits
from postrank.labels.counted_days import counted_days
from postrank.labels.labeller import primary_subtag
from postrank.labels.lake_posts import Lake
from postrank.labels.word_tokens import language_of, words_of
from postrank.warehouse.connection import WarehouseAway
from postrank.warehouse.schema import require_newest

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow


@dataclass(slots=True)
class CountedWords:
    """What a run did."""

    days: int = 0
    posts: int = 0
    words: int = 0
    days_left: int = 0

    def __str__(self) -> str:
        left = f", {self.days_left:,} days left" if self.days_left else ""
        return f"{self.words:,} words of {self.posts:,} posts and {self.days:,} days counted{left}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCounting:
    """One run. `connect` opens a connection in autocommit mode; `statement` reads a file of `include/postgres`."""

    lake: Lake
    connect: "Callable[[], Connection[TupleRow]]"
    statement: Callable[[str], str]
    turn: Turn
    limits: WordLimits = field(default_factory=WordLimits)
    assumed_language: str | None = None

    def run(self) -> CountedWords:
        """Count the days that have changed, the newest first. Raises SchemaBehind, WarehouseAway, LeaseBusy."""
        outcome = CountedWords()
        deadline = time.monotonic() + self.limits.seconds
        try:
            with self.connect() as connection:
                require_newest(connection)
                days = self.lake.day_partitions()
                counted = counted_days(connection, self.statement)
                due = [day for day in sorted({*days, *counted}, reverse=True) if counted.get(day) != _places(days, day)]
                for day in due:
                    if outcome.posts >= self.limits.posts or time.monotonic() > deadline:
                        break
                    with self.turn.held():
                        self._count(connection, day, outcome)
        except psycopg.OperationalError as error:
            raise WarehouseAway(f"the connection to the warehouse broke: {error}") from error
        outcome.days_left = len(due) - outcome.days
        return outcome

    def _count(self, connection: "Connection[TupleRow]", day: str, outcome: CountedWords) -> None:
        """Replace a day's words. Its partitions are listed under the lease, so that they are the ones counted."""
        places = _places(self.lake.day_partitions(), day)
        posts = 0
        counts: dict[str, Counter[str]] = {}
        if places is not None:
            for text, lang in self.lake.day_texts(day):
                posts += 1
                stated = primary_subtag(lang, self.assumed_language)
                counts.setdefault(language_of(text, stated), Counter()).update(words_of(text, stated))
        self.turn.require()
        rows = [
            (day, language, word, count) for language in sorted(counts) for word, count in self._top(counts[language])
        ]
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(self.statement("words_removed"), {"posted_date": day})
            with cursor.copy("copy words (posted_date, language, word, posts) from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
            if places is None:
                cursor.execute(self.statement("counted_days_removed"), {"posted_date": day})
            else:
                note = {"posted_date": day, "partitions": list(places), "posts": posts}
                cursor.execute(self.statement("counted_days_stored"), note)
        outcome.days += 1
        outcome.posts += posts
        outcome.words += len(rows)

    def _top(self, counts: "Counter[str]") -> list[tuple[str, int]]:
        frequent = [(word, count) for word, count in counts.items() if count >= self.limits.least_posts]
        return sorted(frequent, key=lambda pair: (-pair[1], pair[0]))[: self.limits.most_words]


def _places(days: Mapping[str, Mapping[str, str]], day: str) -> tuple[str, ...] | None:
    """Where a day's partitions are, in order; None for a day that the lake does not have (any more)."""
    return tuple(sorted(days[day].values())) if day in days else None
