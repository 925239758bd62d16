"""Final rows of `author_windows` as lines of the second stream, in the data contract's fields."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

from postrank_spark.closing import Emission
from postrank_spark.errors import JobError
from postrank_spark.queries import Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

OUTPUT = "author_windows"
_FIELDS = ("network", "author_id", "author_handle", "window_start", "window_end", "kind", "posts")
_RECORD = 25 * 1024  # bytes; Kinesis bills records in units of that size
_RECORDS = 500  # of one call
_BUCKETS = 32
_SECONDS = 120.0  # for one call, with its retries


@dataclass(frozen=True, slots=True)
class WindowStream:
    """The stream `name`. A batch that is run again sends its lines again; readers take the highest count."""

    name: str
    region: str
    collector: str = "spark"

    def prepare(self, query: Query, rows: "DataFrame") -> None:
        """Raises JobError if the rows of `author_windows` lack a field of the contract."""
        if query.output == OUTPUT and (missing := set(_FIELDS) - set(rows.columns)):
            raise JobError(f"{query.file}: the stream {self.name} needs the columns {', '.join(sorted(missing))}")

    def write(self, query: Query, emission: Emission, batch: str) -> None:  # noqa: ARG002 - lines carry their window
        if query.output == OUTPUT:
            emission.closed.select(*_FIELDS).foreachPartition(_put(self.name, self.region, self.collector))


def _put(stream: str, region: str, collector: str) -> Callable[[Iterable[Any]], None]:
    """A function that sends the rows of one partition."""

    def write(rows: Iterable[Any]) -> None:
        import boto3

        kinesis = boto3.client("kinesis", region_name=region)
        emitted_at = _instant(datetime.now(UTC))
        records: list[dict[str, Any]] = []
        for record in _packed(_line(row, collector, emitted_at) for row in rows):
            records.append(record)
            if len(records) == _RECORDS:
                _send(kinesis, stream, records)
                records = []
        _send(kinesis, stream, records)

    return write


def _line(row: Any, collector: str, emitted_at: str) -> tuple[str, bytes]:
    """The author, and the line of his window."""
    fields = row.asDict()
    fields["window_start"] = _instant(fields["window_start"].astimezone(UTC))
    fields["window_end"] = _instant(fields["window_end"].astimezone(UTC))
    fields.update(final=fields["kind"] == "tumbling", collector=collector, emitted_at=emitted_at)
    return fields["author_id"], json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _packed(lines: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, Any]]:
    """Records of many lines; an author's lines have one partition key."""
    opened: dict[str, bytearray] = {}
    for author, line in lines:
        key = f"{crc32(author.encode()) % _BUCKETS:04x}"
        record = opened.setdefault(key, bytearray())
        if record and len(record) + len(line) > _RECORD:
            yield {"PartitionKey": key, "Data": bytes(record)}
            record.clear()
        record += line
    for key, record in opened.items():
        if record:
            yield {"PartitionKey": key, "Data": bytes(record)}


def _send(kinesis: Any, stream: str, records: list[dict[str, Any]]) -> None:
    """Put records; those that were throttled again, until all are there or time is up."""
    deadline = time.monotonic() + _SECONDS
    pause = 0.1
    while records:
        response = kinesis.put_records(StreamName=stream, Records=records)
        results = zip(records, response["Records"], strict=True)
        records = [record for record, result in results if "ErrorCode" in result]
        if records and time.monotonic() > deadline:
            raise TimeoutError(f"{stream} throttled {len(records)} records for {_SECONDS:.0f} s: add shards")
        if records:
            time.sleep(pause)
            pause = min(2 * pause, 2.0)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
