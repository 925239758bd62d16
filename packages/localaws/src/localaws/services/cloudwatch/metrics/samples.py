"""The samples of all metrics, in one SQLite file."""

import json
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from localaws.core.cloud import AwsError
from localaws.core.shapes import Structure
from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists metrics (
    id integer primary key, namespace text not null, name text not null, dimensions text not null,
    newest integer not null, unique (namespace, name, dimensions)
);
create table if not exists samples (
    metric integer not null, at integer not null, unit text not null, count real not null, total real not null,
    low real not null, high real not null, spread text
);
create index if not exists samples_at on samples (metric, at);
"""
Dimensions = tuple[tuple[str, str], ...]  # sorted by name


class MetricKey(NamedTuple):
    """What names a metric: its dimensions are part of its identity."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


class Sample(NamedTuple):
    """What one datum of PutMetricData said. `spread` has (value, count) pairs; None if only the set is known."""

    at: int  # epoch milliseconds
    unit: str
    number: float  # of values
    total: float
    low: float
    high: float
    spread: tuple[tuple[float, float], ...] | None


class SampleStore:
    """Samples by metric and time. Safe for use by many threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = open_database(path, _SCHEMA, autocommit=False)
        self._closed = False

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._connection.close()

    def add(self, samples: Iterable[tuple[MetricKey, Sample]]) -> None:
        """Keep samples, all or none. Raises AwsError when the store is closed: other services stop at the same time."""
        with self._lock:
            self._add(samples)

    def _add(self, samples: Iterable[tuple[MetricKey, Sample]]) -> None:
        if self._closed:
            raise AwsError("InternalServiceError", "CloudWatch is stopping.", status=500)
        with self._connection as connection:
            for key, sample in samples:
                (metric,) = connection.execute(
                    "insert into metrics (namespace, name, dimensions, newest) values (?, ?, ?, ?) "
                    "on conflict do update set newest = max(newest, excluded.newest) returning id",
                    (key.namespace, key.name, json.dumps(key.dimensions), sample.at),
                ).fetchone()
                spread = None if sample.spread is None else json.dumps(sample.spread)
                connection.execute(
                    "insert into samples values (?, ?, ?, ?, ?, ?, ?, ?)", (metric, *sample[:-1], spread)
                )

    def read(self, key: MetricKey, start: int, end: int, only_unit: str | None = None) -> list[Sample]:
        """The samples of a metric in [start, end) (epoch ms), in order of time."""
        with self._lock:
            rows = self._connection.execute(
                "select at, unit, count, total, low, high, spread from samples join metrics on metrics.id = metric "
                "where namespace = ? and name = ? and dimensions = ? and at >= ? and at < ? order by at",
                (key.namespace, key.name, json.dumps(key.dimensions), start, end),
            ).fetchall()
        samples = (
            Sample(at, unit, number, total, low, high, None if spread is None else _pairs(spread))
            for at, unit, number, total, low, high, spread in rows
        )
        return [sample for sample in samples if only_unit in (None, sample.unit)]

    def metrics(self, since: int) -> list[MetricKey]:
        """The metrics that had a sample at or after `since` (epoch ms)."""
        with self._lock:
            rows = self._connection.execute(
                "select namespace, name, dimensions from metrics where newest >= ? order by 1, 2, 3", (since,)
            ).fetchall()
        return [
            MetricKey(space, name, tuple((key, value) for key, value in json.loads(dimensions)))
            for space, name, dimensions in rows
        ]

    def trim(self, before: int) -> None:
        """Forget samples from before this moment (epoch ms)."""
        with self._lock, self._connection as connection:
            connection.execute("delete from samples where at < ?", (before,))
            connection.execute("delete from metrics where newest < ?", (before,))


def dimensions(pairs: Sequence[Structure] | None) -> Dimensions:
    """Dimensions out of the API's list, in the order of their names."""
    return tuple(sorted((pair["Name"], pair["Value"]) for pair in pairs or ()))


def _pairs(text: str) -> tuple[tuple[float, float], ...]:
    return tuple((value, count) for value, count in json.loads(text))
