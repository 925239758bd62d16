"""From posts to labels: the arrival hours that a model has not labelled yet, in batches, within a budget.

A batch and the note of how far it got are one transaction, so that a killed run loses the batch at hand and the next
one resumes after the last. Labels are stored by post and model: to label a post again replaces its label.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING

import psycopg

from postrank.documents import Document
from postrank.labels.budgets import Budget, Turn
from postrank.labels.labeller import Label, Labeller, checked_labels, primary_subtag
from postrank.labels.lake_posts import ArrivalHour, Lake, LakePost
from postrank.warehouse.connection import WarehouseAway
from postrank.warehouse.rankings import storable
from postrank.warehouse.schema import require_newest

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg.rows import TupleRow


@dataclass(slots=True)
class Outcome:
    """What a run did. `hours_left`: arrival hours that the next run has to label."""

    labelled: int = 0
    unlabelled: int = 0
    removed: int = 0
    hours: int = 0
    hours_left: int = 0

    @property
    def posts(self) -> int:
        """How many posts were judged."""
        return self.labelled + self.unlabelled

    def __str__(self) -> str:
        parts = [f"{self.labelled:,} posts of {self.hours:,} arrival hours labelled"]
        parts += [f"{self.unlabelled:,} without a label"] if self.unlabelled else []
        parts += [f"{self.removed:,} labels removed"] if self.removed else []
        parts += [f"{self.hours_left:,} arrival hours left"] if self.hours_left else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an arrival hour is labelled: up to a post, in order of network and id."""

    content: str
    last: tuple[str, str]
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """One run. `connect` opens a connection in autocommit mode; `statement` reads a file of `include/postgres`.

    `assumed_language` is that of posts whose network states none.
    """

    labeller: Labeller
    lake: Lake
    connect: Callable[[], "Connection[TupleRow]"]
    statement: Callable[[str], str]
    turn: Turn
    budget: Budget = field(default_factory=Budget)
    assumed_language: str | None = None

    def run(self) -> Outcome:
        """Label what is new, the newest arrivals first. Raises WrongLabels, SchemaBehind, WarehouseAway, LeaseBusy."""
        outcome = Outcome()
        deadline = time.monotonic() + self.budget.seconds
        try:
            with self.connect() as connection:
                require_newest(connection)
                progress = self._progress(connection)
                due = [hour for hour in self.lake.arrival_hours() if not _is_done(hour, progress)]
                for _, hours in groupby(due, key=lambda hour: hour.name[:10]):
                    if self._is_spent(outcome, deadline):
                        break
                    with self.turn.held():
                        self._label_day(connection, list(hours), progress, outcome, deadline)
        except psycopg.OperationalError as error:
            raise WarehouseAway(f"the connection to the warehouse broke: {error}") from error
        outcome.hours_left = len(due) - outcome.hours
        return outcome

    def _progress(self, connection: "Connection[TupleRow]") -> dict[str, Progress]:
        rows = connection.execute(self.statement("labelled_arrivals"), self._version).fetchall()
        return {hour: Progress(content, (network, post), done) for hour, content, network, post, done in rows}

    def _label_day(
        self,
        connection: "Connection[TupleRow]",
        hours: list[ArrivalHour],
        progress: Mapping[str, Progress],
        outcome: Outcome,
        deadline: float,
    ) -> None:
        """Label the arrival hours of one date with one query, as far as the budget goes."""
        posts = groupby(self.lake.arrived_posts(hours), key=lambda post: post.arrival_interval)
        remaining = {hour.name: hour for hour in hours}
        for name, arrived in posts:
            hour = remaining.pop(name)
            if not self._label_hour(connection, hour, _after(arrived, hour, progress), outcome, deadline):
                return
        for hour in remaining.values():  # without posts, or with posts that later hours have replaced
            self._label_hour(connection, hour, iter(()), outcome, deadline)

    def _label_hour(
        self,
        connection: "Connection[TupleRow]",
        hour: ArrivalHour,
        posts: Iterator[LakePost],
        outcome: Outcome,
        deadline: float,
    ) -> bool:
        """Label the posts of an hour; returns whether all of them are done."""
        following = next(posts, None)
        last = ("", "")
        while following is not None:
            if self._is_spent(outcome, deadline):
                return False
            most = min(self.budget.batch, self.budget.posts - outcome.posts)
            batch = [following, *islice(posts, most - 1)]
            following = next(posts, None)
            last = batch[-1].key
            self._store(connection, hour, batch, Progress(hour.content, last, following is None), outcome)
        if last == ("", ""):
            self._store(connection, hour, [], Progress(hour.content, last, is_complete=True), outcome)
        outcome.hours += 1
        return True

    def _store(
        self,
        connection: "Connection[TupleRow]",
        hour: ArrivalHour,
        batch: list[LakePost],
        progress: Progress,
        outcome: Outcome,
    ) -> None:
        labels = self._labels([post for post in batch if not post.is_gone])
        self.turn.require()
        with connection.transaction(), connection.cursor() as cursor:
            outcome.removed += self._remove(cursor, [post for post in batch if post.key not in labels])
            rows = [self._row(post, *labels[post.key]) for post in batch if not post.is_gone and post.key in labels]
            if rows:
                cursor.executemany(self.statement("labels_stored"), rows)
            note: Document = {
                **self._version,
                "arrival_interval": hour.name,
                "content": progress.content,
                "last_network": progress.last[0],
                "last_post_id": progress.last[1],
                "is_complete": progress.is_complete,
            }
            cursor.execute(self.statement("labelled_arrivals_stored"), note)
        outcome.labelled += len(rows)
        outcome.unlabelled += sum(not post.is_gone for post in batch) - len(rows)

    def _labels(self, posts: list[LakePost]) -> dict[tuple[str, str], tuple[Label, str | None]]:
        """The labels of the posts that the model can judge, with the languages that it read them in."""
        worded = [post for post in posts if post.text.strip()]
        languages = [primary_subtag(post.lang, self.assumed_language) for post in worded]
        labels = checked_labels(self.labeller, [post.text for post in worded], languages) if worded else []
        return {
            post.key: (label, language)
            for post, language, label in zip(worded, languages, labels, strict=True)
            if label is not None
        }

    def _remove(self, cursor: "Cursor[TupleRow]", posts: list[LakePost]) -> int:
        rows = [{"network": post.network, "post_id": post.post_id, "model": self.labeller.model} for post in posts]
        if not rows:
            return 0
        cursor.executemany(self.statement("labels_removed"), rows)
        return cursor.rowcount

    def _row(self, post: LakePost, label: Label, language: str | None) -> Document:
        row = {
            **self._version,
            "network": post.network,
            "post_id": post.post_id,
            "label": label[0],
            "score": label[1],
            "language": language,
            "posted_at": post.posted_at,
            "author_id": post.author_id,
        }
        return {
            **{name: storable(value) for name, value in row.items()},
            "hashtags": [storable(tag.lower()) for tag in post.hashtags],
        }

    @property
    def _version(self) -> Document:
        return {"model": self.labeller.model, "model_version": self.labeller.version}

    def _is_spent(self, outcome: Outcome, deadline: float) -> bool:
        return outcome.posts >= self.budget.posts or time.monotonic() > deadline


def _is_done(hour: ArrivalHour, progress: Mapping[str, Progress]) -> bool:
    noted = progress.get(hour.name)
    return noted is not None and noted.is_complete and noted.content == hour.content


def _after(posts: Iterator[LakePost], hour: ArrivalHour, progress: Mapping[str, Progress]) -> Iterator[LakePost]:
    """The posts of an hour that an earlier run has left; all of them where the hour was ingested again since."""
    noted = progress.get(hour.name)
    if noted is None or noted.content != hour.content:
        return posts
    return (post for post in posts if post.key > noted.last)
