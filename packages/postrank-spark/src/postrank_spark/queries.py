"""Query files: one SQL relation a file, with its key and output in comments, checked before anything runs.

-- author_windows: one row per network, author and minute.    name and grain
-- key: network, author_id, window_start                      what identifies a row; required
-- output: author_windows                                     where rows go; the file's name unless it is given
-- lateness: 1 millisecond                                    of its windows, in place of the job's
-- top: 40 per window_start by posts desc, author_id          only the first rows of each closed window
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from postrank_spark.errors import JobError, QueryError, QueryErrors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Item = TypeVar("Item")
Made = TypeVar("Made")
VIEWS = ("posts", "logs")  # what a query may select from
WINDOW = ("window_start", "window_end")  # columns that every relation has
_DIRECTIVE = re.compile(r"--\s*(key|output|lateness|top)\s*:\s*(.*?)\s*$")
_NAME = re.compile(r"[a-z][a-z0-9_]*$")
_TOP = re.compile(r"(\d+) per ([a-z0-9_, ]+?) by ([a-z0-9_, ]+)$")
_DURATION = re.compile(r"(\d+)\s*(millisecond|second|minute|hour|day)s?$")
_UNITS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_TYPES = ("string", "bigint", "int", "double", "boolean", "timestamp", "date")


@dataclass(frozen=True, slots=True)
class Top:
    """The first `rows` of each window: `per` its columns, `by` the order, as SQL."""

    rows: int
    per: tuple[str, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One file. `lines` are where its directives stand, for messages."""

    file: Path
    sql: str
    key: tuple[str, ...]
    output: str
    lateness_ms: int | None = None
    top: Top | None = None
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.file.stem

    def frame(self, spark: "SparkSession") -> "DataFrame":
        """The streaming rows of the query, on the views of the session. Raises QueryError."""
        frame = _analyzed(spark, self)
        _check_columns(frame, self)
        return frame


def milliseconds(text: str) -> int:
    """A duration such as `30 seconds` or `2 hours`, in milliseconds. Raises ValueError."""
    match = _DURATION.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no duration: write a whole number and second(s), minute(s), hour(s) or day(s)")
    return int(match[1]) * _UNITS[match[2]]


def read(location: str, names: tuple[str, ...] = ()) -> list[Query]:
    """The queries of a folder or of `s3://BUCKET/PREFIX`, or those named. Raises JobError, QueryErrors."""
    texts = _stored(location) if location.startswith("s3://") else _local(Path(location))
    if not texts:
        raise JobError(f"{location} holds no query (*.sql)")
    stems = {file.stem for file in texts}
    if unknown := set(names) - stems:
        raise JobError(f"{location} holds no query {', '.join(sorted(unknown))}: {', '.join(sorted(stems))}")
    chosen = {file: text for file, text in sorted(texts.items()) if not names or file.stem in names}
    return each(chosen, lambda file: parse(file, chosen[file]))


def each(items: Iterable[Item], make: Callable[[Item], Made]) -> list[Made]:
    """What `make` makes of each item. Raises QueryErrors with all that it raised."""
    results: list[Made] = []
    errors: list[QueryError] = []
    for item in items:
        try:
            results.append(make(item))
        except QueryError as error:
            errors.append(error)
    if errors:
        raise QueryErrors(errors)
    return results


def _local(folder: Path) -> dict[Path, str]:
    return {file: file.read_text(encoding="utf-8") for file in folder.glob("*.sql")}


def _stored(location: str) -> dict[Path, str]:
    """The files below a prefix, by bucket and key."""
    import boto3

    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".sql")]
    return {Path(bucket, key): s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}


def parse(file: Path, text: str) -> Query:
    """The query of a file's text. Raises QueryError."""
    if not _NAME.match(file.stem):
        raise QueryError(file, 1, "the file's name must be lower-case letters, digits and underscores")
    directives: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := _DIRECTIVE.match(line):
            directives[match[1]] = match[2]
            lines[match[1]] = number
    if not directives.get("key"):
        raise QueryError(file, 1, "it names no key: add a line such as `-- key: network, window_start`")
    output = directives.get("output", file.stem)
    if not _NAME.match(output):
        raise QueryError(file, lines["output"], f"{output!r} is no name of an output")
    return Query(
        file=file,
        sql=text,
        key=_columns(directives["key"]),
        output=output,
        lateness_ms=_lateness(file, directives, lines),
        top=_top(file, directives, lines),
        lines=lines,
    )


def _lateness(file: Path, directives: dict[str, str], lines: dict[str, int]) -> int | None:
    if "lateness" not in directives:
        return None
    try:
        return milliseconds(directives["lateness"])
    except ValueError as error:
        raise QueryError(file, lines["lateness"], str(error)) from error


def _top(file: Path, directives: dict[str, str], lines: dict[str, int]) -> Top | None:
    if "top" not in directives:
        return None
    match = _TOP.match(directives["top"])
    if not match:
        raise QueryError(file, lines["top"], "write `-- top: 40 per window_start by posts desc, author_id`")
    return Top(int(match[1]), _columns(match[2]), _columns(match[3]))


def _columns(text: str) -> tuple[str, ...]:
    return tuple(column.strip() for column in text.split(",") if column.strip())


def _analyzed(spark: "SparkSession", query: Query) -> "DataFrame":
    from pyspark.errors import PySparkException

    try:
        frame = spark.sql(query.sql)
    except PySparkException as error:
        raise QueryError(query.file, _line_of(str(error), query.sql), _reason(str(error))) from error
    if not frame.isStreaming:
        raise QueryError(query.file, 1, f"it selects from no stream: use {' or '.join(VIEWS)}")
    if "window(" not in query.sql:
        raise QueryError(query.file, 1, "it groups by no window(...), so its state would grow for ever")
    return frame


def _check_columns(frame: "DataFrame", query: Query) -> None:
    """Raises QueryError for a column that the outputs need, or cannot hold."""
    types = {column.name: column.dataType.simpleString() for column in frame.schema}
    key_line = query.lines["key"]
    for name in WINDOW:
        if types.get(name) != "timestamp":
            actual = f"is a {types[name]}" if name in types else "is missing"
            raise QueryError(query.file, _select_line(query.sql), f"column {name} {actual}; it must be a timestamp")
    if missing := [name for name in query.key if name not in types]:
        raise QueryError(query.file, key_line, f"the key names {', '.join(missing)}, which the query does not select")
    if "window_start" not in query.key:
        raise QueryError(query.file, key_line, "the key must hold window_start")
    for name, kind in types.items():
        if not kind.startswith(_TYPES):
            line = _line_with(query.sql, f"as {name}", name)
            raise QueryError(query.file, line, f"column {name} is of type {kind}; use {', '.join(_TYPES)}")
    if query.top:
        columns = (*query.top.per, *(part.split()[0] for part in query.top.by))
        if missing := [name for name in columns if name not in types]:
            reason = f"top names {', '.join(missing)}, which the query does not select"
            raise QueryError(query.file, query.lines["top"], reason)


def _line_of(message: str, sql: str) -> int:
    """The line that Spark's message names; else that of the first window, whose durations have no position."""
    match = re.search(r"line (\d+)", message)
    return int(match[1]) if match else _line_with(sql, "window(")


def _reason(message: str) -> str:
    return message.strip().splitlines()[0]


def _select_line(sql: str) -> int:
    """The line of the last `select` that begins a line: the one whose columns are the relation's."""
    lines = [number for number, line in enumerate(sql.splitlines(), 1) if line.lower().startswith("select")]
    return lines[-1] if lines else 1


def _line_with(sql: str, *texts: str) -> int:
    """The last line that holds the first of the texts that any line holds."""
    for text in texts:
        lines = [number for number, line in enumerate(sql.splitlines(), 1) if text in line and line[:2] != "--"]
        if lines:
            return lines[-1]
    return 1
