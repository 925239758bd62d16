"""What Firehose could not deliver: the records below an error prefix, counted, sampled, put back when asked.

An error object is newline JSON whose `rawData` is the record in base64 ("Handle failure in data transformation").
What was put back is marked in the lake bucket after each call. A task killed between a call and its mark puts those
records (500 at most) back twice, which the lake counts once: a post is a post however often it is delivered.
"""

import base64
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from postrank.errors import Fatal
from postrank.sinks import Record
from postrank.sinks.kinesis import KinesisSink, calls

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MARKS = "state/redriven/"  # in the lake bucket; an object for each error object: {"records": how many were put back}


class Unreadable(Fatal):
    """An error object does not hold what Firehose writes."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(f"{key}, line {line}, is not an error record of Firehose: it was not put back")
        self.key = key
        self.line = line


@dataclass(frozen=True, slots=True)
class Failed:
    """The records of one error object that are not delivered, the first `done` put back already."""

    key: str
    lines: list[bytes]
    done: int

    @property
    def left(self) -> int:
        return len(self.lines) - self.done


@dataclass(frozen=True, slots=True)
class ErrorRecords:
    """The records of one kind (`posts`, `author_windows`) below `prefix` of the raw bucket."""

    s3: "S3Client"
    kind: str
    raw: str  # bucket
    lake: str  # bucket
    prefix: str

    def of_days(self, days: Iterable[date]) -> Iterator[Failed]:
        """What failed on some days, oldest object first, with what is left of it."""
        partitions = tuple(f"dt={day.isoformat()}/" for day in days)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.raw, Prefix=self.prefix)
        entries = [
            item for page in pages for item in page.get("Contents", ()) if any(day in item["Key"] for day in partitions)
        ]
        for entry in sorted(entries, key=lambda item: (item["LastModified"], item["Key"])):
            yield Failed(entry["Key"], self._lines(entry["Key"]), self._done(entry["Key"]))

    def put_back(self, failed: Failed, sink: KinesisSink, most: int) -> int:
        """Put at most `most` of the records that are left back on the stream; returns how many. Raises Unreadable."""
        chosen = failed.lines[failed.done : failed.done + most]
        records = [self._record(failed.key, number, line) for number, line in enumerate(chosen, failed.done + 1)]
        done = failed.done
        for call in calls(records):
            sink.put(call)
            done += len(call)
            self._mark(failed.key, done)
        return done - failed.done

    def _record(self, key: str, number: int, line: bytes) -> Record:
        try:
            data = base64.b64decode(json.loads(line)["rawData"], validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(key, number) from error
        return Record(stream=self.kind, key=hashlib.sha256(data).hexdigest()[:32], data=data, lines=data.count(b"\n"))

    def _lines(self, key: str) -> list[bytes]:
        body: bytes = self.s3.get_object(Bucket=self.raw, Key=key)["Body"].read()
        return (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).splitlines()

    def _done(self, key: str) -> int:
        try:
            return int(json.loads(self.s3.get_object(Bucket=self.lake, Key=self._place(key))["Body"].read())["records"])
        except self.s3.exceptions.NoSuchKey:
            return 0

    def _mark(self, key: str, records: int) -> None:
        body = json.dumps({"object": key, "records": records}).encode()
        self.s3.put_object(Bucket=self.lake, Key=self._place(key), Body=body, ContentType="application/json")

    @staticmethod
    def _place(key: str) -> str:
        return f"{MARKS}{key}.json"


def describe(kind: str, failed: list[Failed]) -> str:
    """In words: how many records, of which errors, and a sample, without the data that failed."""
    left = [line for record in failed for line in record.lines[record.done :]]
    codes = Counter(_fields(line)[0] for line in left)
    sample = _fields(left[-1])
    newest = failed[-1].key
    return (
        f"{len(left)} records of {kind} in {len(failed)} error objects "
        f"({', '.join(f'{number} {code}' for code, number in codes.most_common(5))}), "
        f"the newest in {newest}: {sample[1]} after {sample[2]} attempts"
    )


def _fields(line: bytes) -> tuple[str, str, str]:
    try:
        record = json.loads(line)
        return str(record["errorCode"]), str(record["errorMessage"]), str(record["attemptsMade"])
    except (ValueError, KeyError, TypeError):
        return "unreadable", "not an error record of Firehose", "?"
