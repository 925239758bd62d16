"""Deleted posts in the raw zone: their lines give way to stubs, so that every count of lines stays as it was.

A stub says which post was there and in which minute it was posted, and nothing that somebody wrote. Objects are
replaced whole, on the condition that nobody replaced them since (S3, "Conditional writes"). What a rewriting did is
written on the object itself, so that a killed run finds out what it had done.
"""

import gzip
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from postrank.aws.prefixes import split

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STUBS = {
    "post": "redacted_post",
    "edit": "redacted_edit",
    "repost": "redacted_post",
    "like": "redacted_like",
    "metrics": "redacted_metrics",
    "raw": "redacted_raw",
}
_RUN = "redacted-by"
_BEFORE = "sha256-before"  # of an object's own metadata

PostKey = tuple[str, str]  # network, post id


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One object in which lines gave way to stubs. `lines` is how many it has, before as after."""

    key: str
    sha256_before: str
    sha256_after: str
    lines: int
    redacted: int


@dataclass(frozen=True, slots=True)
class RawZone:
    """The objects of gz newline JSON below `root` (`s3://bucket/raw/posts/`). `s3` is boto3's S3 client."""

    s3: "S3Client"
    root: str

    def redact(self, hour: str, gone: Collection[PostKey], run: str) -> Iterator[Rewritten]:
        """Take posts out of an arrival hour (`2026-11-24T05`); yields the objects that `run` has changed.

        May be repeated at any point: what an earlier attempt of the same run rewrote is yielded again.
        """
        bucket, root = split(self.root)
        prefix = f"{root}dt={hour[:10]}/hour={hour[11:]}/"
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                if done := self._object(bucket, entry["Key"], gone, run):
                    yield done

    def _object(self, bucket: str, key: str, gone: Collection[PostKey], run: str) -> Rewritten | None:
        response = self.s3.get_object(Bucket=bucket, Key=key)
        body: bytes = response["Body"].read()
        before = hashlib.sha256(body).hexdigest()
        lines = gzip.decompress(body).splitlines(keepends=True)
        stubs = {at: stub for at, line in enumerate(lines) if (stub := stub_of(line, gone, run))}
        if not stubs:
            return _earlier(key, before, lines, response["Metadata"], run)
        notes = response["Metadata"]
        origin = notes[_BEFORE] if notes.get(_RUN) == run else before
        for at, stub in stubs.items():
            lines[at] = stub
        after = gzip.compress(b"".join(lines), mtime=0)
        self.s3.put_object(
            Bucket=bucket, Key=key, Body=after, IfMatch=response["ETag"], Metadata={_RUN: run, _BEFORE: origin}
        )
        return Rewritten(key, origin, hashlib.sha256(after).hexdigest(), len(lines), _redacted_by(lines, run))


def stub_of(line: bytes, gone: Collection[PostKey], run: str) -> bytes | None:
    """What stands in the place of a line; None where the line may stay."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(event, dict) or event.get("kind") not in STUBS:
        return None
    if (str(event.get("network")), str(event.get("post_id"))) not in gone:
        return None
    stub = {
        "kind": STUBS[event["kind"]],
        "network": event["network"],
        "post_id": event["post_id"],
        "posted_at": _minute(event.get("posted_at")),
        "redacted_by": run,
    }
    if isinstance(collector := event.get("collector"), str):
        stub["collector"] = collector  # whose lines are counted
    if isinstance(versions := event.get("versions"), list):
        stub["versions"] = versions  # a later delete may name any of them
    return orjson.dumps(stub, option=orjson.OPT_APPEND_NEWLINE)


def _minute(posted_at: object) -> str | None:
    """The minute of an RFC 3339 UTC time as the contract writes it; None for anything else."""
    text = str(posted_at or "")
    return f"{text[:16]}:00.000Z" if len(text) >= 20 and text.endswith("Z") else None


def _earlier(key: str, sha256: str, lines: list[bytes], notes: Mapping[str, str], run: str) -> Rewritten | None:
    """What an earlier attempt of this run made of an object; None where it did nothing."""
    if notes.get(_RUN) != run:
        return None
    return Rewritten(key, notes[_BEFORE], sha256, len(lines), _redacted_by(lines, run))


def _redacted_by(lines: list[bytes], run: str) -> int:
    mark = orjson.dumps({"redacted_by": run})[1:-1]
    return sum(mark in line for line in lines)
