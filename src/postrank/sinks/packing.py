"""Packing lines into records near a Kinesis payload unit, keyed so that an author's posts stay together.

Kinesis bills a record in units of 25 KB and takes 1,000 records a second and shard, so many small posts in one record
cost a fraction (Amazon Kinesis Data Streams pricing, "PUT Payload Unit"). Authors are spread over a fixed number of
partition keys ("buckets"): enough to use every shard, few enough that records fill.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from zlib import crc32

from isal import igzip

from postrank.posts import Reject
from postrank.sinks import Record

PAYLOAD_UNIT = 25 * 1024
RECORD_LIMIT = 1_000_000  # bytes of a line or record; Kinesis takes 1 MiB, key included


@dataclass(slots=True)
class Packer:
    """Collects the lines of one stream until `take`. Not for several threads."""

    stream: str
    record_bytes: int = PAYLOAD_UNIT  # of newline JSON in one record, before gzip
    buckets: int = 32
    gzipped: bool = False  # each record a gzip member of its own: joined, they are one valid .gz file
    lines: int = 0
    size: int = 0  # bytes
    _open: defaultdict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def add(self, author_ids: Iterable[str], lines: Sequence[bytes]) -> None:
        """Take in lines that end in a newline, each with the author whose bucket it goes to."""
        opened = self._open
        buckets = self.buckets
        for author_id, line in zip(author_ids, lines, strict=True):
            opened[crc32(author_id.encode()) % buckets].append(line)
        self.lines += len(lines)
        self.size += sum(map(len, lines))

    def take(self) -> list[Record]:
        """All lines as records; the packer is empty afterwards."""
        records = [
            self._record(bucket, part)
            for bucket, lines in self._open.items()
            for part in split(lines, self.record_bytes)
        ]
        self._open = defaultdict(list)
        self.lines = self.size = 0
        return records

    def _record(self, bucket: int, lines: Sequence[bytes]) -> Record:
        data = b"".join(lines)
        if self.gzipped:
            data = igzip.compress(data, compresslevel=1, mtime=0)
        return Record(stream=self.stream, key=f"{bucket:04x}", data=data, lines=len(lines))


@dataclass(slots=True)
class LinePacker:
    """Collects lines as records of one line each, keyed by their authors: for a sink that batches them itself."""

    stream: str
    lines: int = 0
    size: int = 0  # bytes
    _records: list[Record] = field(default_factory=list)

    def add(self, author_ids: Iterable[str], lines: Sequence[bytes]) -> None:
        """Take in lines that end in a newline, each with its author."""
        stream = self.stream
        self._records += [Record(stream, author, line, 1) for author, line in zip(author_ids, lines, strict=True)]
        self.lines += len(lines)
        self.size += sum(map(len, lines))

    def take(self) -> list[Record]:
        """All lines as records; the packer is empty afterwards."""
        records = self._records
        self._records = []
        self.lines = self.size = 0
        return records


def too_large(line: bytes, where: str) -> Reject | None:
    """The reject of a line that no record can hold."""
    if len(line) <= RECORD_LIMIT:
        return None
    reason = f"its line has {len(line)} bytes, more than the {RECORD_LIMIT} that a record holds"
    return Reject(reason=reason, line=line, where=where)


def split(lines: Sequence[bytes], limit: int) -> Iterable[Sequence[bytes]]:
    """The lines in runs of at most `limit` bytes; a longer line is a run of its own."""
    ends = list(accumulate(map(len, lines)))
    start = 0
    done = 0
    while start < len(lines):
        end = max(bisect_right(ends, done + limit, start), start + 1)
        yield lines[start:end]
        start = end
        done = ends[end - 1]
