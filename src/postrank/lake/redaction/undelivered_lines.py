"""Deleted posts outside the tables: in undelivered records, in lines that broke the contract, in original JSON.

All of them wait to be put back, looked at or expired, and may hold a post that is deleted meanwhile. A line of a record
that Firehose could not deliver, and a row of a network's JSON, give way to a stub, as in the raw zone. Which post a
broken line was about is not sure: one that names the id of a deleted post loses its words, and is counted as before.
"""

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank.aws.prefixes import split
from postrank.aws.resources import Resources
from postrank.aws.tables import prefix
from postrank.documents import Document
from postrank.lake.redaction.raw_zone import PostKey, stub_of
from postrank.lake.redaction.steps import EVIDENCE
from postrank.posts.times import snowflake_time
from postrank.ranking.run_identity import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BATCH = 2000  # ids, about, of the objects that are looked up together
_STATEMENT = 200_000  # bytes of ids: a statement may have 262,144 (Athena, "Service Quotas")
_LONGEST_ID = 1000  # characters
_NAMED_ID = re.compile(r'"(?:post_id|id|id_str|uri|rkey)"\s*:\s*"?([^\x00-\x20",}\\]+)')
_X = "x"  # the network of whoever asks for places to be removed
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Deleted:
    """What the tombstones say of some posts, and up to when an author's are deleted (None: all)."""

    posts: frozenset[PostKey]
    authors: Mapping[PostKey, datetime | None]  # network, author id

    def joined(self, other: "Deleted") -> "Deleted":
        """What either says."""
        authors = dict(self.authors)
        for key, until in other.authors.items():
            earlier = authors.get(key, until)
            authors[key] = None if until is None or earlier is None else max(until, earlier)
        return Deleted(self.posts | other.posts, authors)

    def post_of(self, line: bytes) -> PostKey | None:
        """The deleted post whose words a line holds, if it holds any."""
        event = _event(line)
        network = str(event.get("network"))
        author = str(event.get("author_id"))
        key = (network, str(event.get("post_id")))
        if key in self.posts:
            return key
        until = self.authors.get((network, author))
        posted = _moment(event.get("posted_at"))
        gone = (network, author) in self.authors and (until is None or posted is None or posted <= until)
        return key if gone else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Objects of one kind: below `prefix`, newline JSON; `ids` names the posts of a line, `without` redacts it.

    `holds_places`: a line goes as well when X wants the place of its post removed.
    """

    prefix: str
    holds_places: bool = False
    ids: Callable[[bytes], Iterable[str]]
    without: Callable[[bytes, Deleted, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """One run. `render` fills a file of `include/sql`; `as_of` is when the run began."""

    run: Run
    as_of: datetime
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    render: Callable[..., str]

    def redact(self) -> int:
        """Take the words of deleted posts out; returns out of how many objects. Raises ClientError where an object was
        replaced meanwhile. May be repeated at any point.
        """
        if not self.catalogue.has_table("tombstones"):  # nothing was ranked yet
            return 0
        changed = [
            change for zone in self._zones() for some in self._batches(zone) for change in self._redact(zone, some)
        ]
        if changed:
            key = f"{EVIDENCE}dt={self.as_of:%Y-%m-%d}/run={self.run.slug}-{self.as_of:%H%M%S}-elsewhere.json"
            content = {"run": self.run.run_id, "at": self.as_of.isoformat(), "objects": changed}
            body = (json.dumps(content, indent=1) + "\n").encode()
            bucket = self.resources.buckets["lake"]
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
        return len(changed)

    def _zones(self) -> Iterator[Zone]:
        errors = self.resources.delivery["posts"].error_prefix.split("!{")[0]
        yield Zone(prefix=errors, ids=_ids_of_record, without=_record_without)
        yield Zone(prefix=f"{self.resources.keys['ledgers']}rejects/", ids=_ids_of_reject, without=_reject_without)
        originals = split(prefix("raw_json", self.resources))[1]
        yield Zone(prefix=originals, holds_places=True, ids=_ids_of_original, without=_original_without)

    def _batches(self, zone: Zone) -> Iterator[dict[str, set[str]]]:
        """The objects of a zone by key, each with the ids that it names, about as many at a time as a statement may."""
        batch: dict[str, set[str]] = {}
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=zone.prefix)
        for entry in (entry for page in pages for entry in page.get("Contents", ())):
            lines, _ = self._read(entry["Key"])
            if ids := {post_id for line in lines for post_id in zone.ids(line) if _is_id(post_id)}:
                batch[entry["Key"]] = ids
            if sum(map(len, batch.values())) >= _BATCH:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _redact(self, zone: Zone, batch: Mapping[str, set[str]]) -> Iterator[Document]:
        ids = sorted(set().union(*batch.values()))
        deleted = self._deleted(ids)
        if zone.holds_places:
            deleted = deleted.joined(self._scrubbed(ids))
        for key in batch if deleted.posts or deleted.authors else ():
            lines, response = self._read(key)
            after = [zone.without(line, deleted, self.run.slug) for line in lines]
            if after != lines:
                body = b"".join(after)
                packed = gzip.compress(body, mtime=0) if response["body"].startswith(_GZIP) else body
                self.s3.put_object(Bucket=self._bucket, Key=key, Body=packed, IfMatch=response["etag"])
                yield {
                    "key": key,
                    "sha256_before": sha256(response["body"]).hexdigest(),
                    "sha256_after": sha256(packed).hexdigest(),
                    "lines": len(lines),
                    "redacted": sum(before != other for before, other in zip(lines, after, strict=True)),
                }

    def _deleted(self, ids: list[str]) -> Deleted:
        posts = set()
        authors = {}
        for some in _statements(ids):
            for row in self.athena.rows(self.render("maintenance/deleted_among.sql", post_ids=some)):
                network = str(row["network"])
                post_id = str(row["post_id"])
                posts.add((network, post_id))
                if row["is_author"] == "true":
                    authors[network, post_id.removeprefix("author:")] = _moment(row["deleted_at"])
        return Deleted(frozenset(posts), authors)

    def _scrubbed(self, ids: list[str]) -> Deleted:
        """The posts whose places X wants removed, as if they were deleted: what shows a place goes as a whole."""
        posts = set()
        authors: dict[PostKey, datetime | None] = {}
        for some in _statements(ids):
            for row in self.athena.rows(self.render("maintenance/scrubbed_among.sql", post_ids=some)):
                post_id = row["post_id"]
                if row["is_author"] == "true" and row["author_id"] is not None:
                    authors[_X, str(row["author_id"])] = snowflake_time(post_id) if post_id is not None else None
                elif post_id is not None:
                    posts.add((_X, str(post_id)))
        return Deleted(frozenset(posts), authors)

    def _read(self, key: str) -> tuple[list[bytes], Document]:
        answer = self.s3.get_object(Bucket=self._bucket, Key=key)
        body: bytes = answer["Body"].read()
        text = gzip.decompress(body) if body.startswith(_GZIP) else body
        return text.splitlines(keepends=True), {"body": body, "etag": answer["ETag"]}

    @property
    def _bucket(self) -> str:
        return self.resources.buckets["raw"]


def _is_id(text: str) -> bool:
    """Whether it may name a post of some network, rather than be what a broken line holds in the place of one."""
    return len(text) <= _LONGEST_ID and text.isprintable()


def _statements(ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids in lists that one statement may hold."""
    some: list[str] = []
    size = 0
    for post_id in ids:
        length = 2 * len(post_id.encode(errors="replace")) + 4  # as a literal; quotes are doubled
        if some and size + length > _STATEMENT:
            yield some
            some = []
            size = 0
        some.append(post_id)
        size += length
    if some:
        yield some


def _event(line: bytes) -> Document:
    """The object that a line holds; an empty one where it holds none."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return event if isinstance(event, dict) else {}


def _data(line: bytes) -> bytes:
    """The lines in an error record, out of its base64 and gzip; none where it is no such record."""
    try:
        data = base64.b64decode(_event(line)["rawData"], validate=True)
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (KeyError, TypeError, ValueError, OSError, EOFError):
        return b""


def _ids_of_record(line: bytes) -> Iterator[str]:
    for event in map(_event, _data(line).splitlines()):
        if "post_id" in event:
            yield str(event["post_id"])
            yield f"author:{event.get('author_id')}"


def _record_without(line: bytes, deleted: Deleted, run: str) -> bytes:
    lines = _data(line).splitlines(keepends=True)
    after = [stub_of(text, {key}, run) or text if (key := deleted.post_of(text)) else text for text in lines]
    if after == lines:
        return line
    packed = b"".join(after)
    record = _event(line)
    if base64.b64decode(record["rawData"]).startswith(_GZIP):
        packed = gzip.compress(packed, mtime=0)
    return orjson.dumps({**record, "rawData": base64.b64encode(packed).decode()}, option=orjson.OPT_APPEND_NEWLINE)


def _ids_of_original(line: bytes) -> Iterator[str]:
    row = _event(line)
    if row.get("kind") == "raw":
        yield str(row.get("post_id"))
        yield f"author:{row.get('author_id')}"


def _original_without(line: bytes, deleted: Deleted, run: str) -> bytes:
    key = deleted.post_of(line)
    return line if key is None else stub_of(line, {key}, run) or line


def _ids_of_reject(line: bytes) -> Iterator[str]:
    reject = _event(line)
    words = str(reject.get("line") or "")
    if reject.get("line_encoding") == "base64":
        words = base64.b64decode(words).decode(errors="replace")
    yield from _NAMED_ID.findall(words)


def _reject_without(line: bytes, deleted: Deleted, run: str) -> bytes:
    ids = {post_id for _, post_id in deleted.posts}
    if ids.isdisjoint(_ids_of_reject(line)):
        return line
    fields = {name: value for name, value in _event(line).items() if name not in ("line", "line_encoding")}
    return orjson.dumps({**fields, "redacted_by": run}, option=orjson.OPT_APPEND_NEWLINE)


def _moment(text: object) -> datetime | None:
    """An instant as the contract or Athena writes it; None for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
