"""Buckets and their objects, version by version: files for the bytes, the index for the rest."""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from localaws.core.cloud import AwsError, ObjectInfo
from localaws.core.shapes import Document
from localaws.services.s3.blobs import GRACE_SECONDS, Files, Written
from localaws.services.s3.events.outbox import Event, Outbox
from localaws.services.s3.index import Index, after_prefix

NULL = "null"  # the version of what is stored while a bucket keeps no versions
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(ObjectInfo):
    """A version of an object, or a delete marker. `headers` are what it was put with, by lower-case name."""

    bucket: str
    version: str = NULL
    latest: bool = True
    marker: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    parts: list[Document] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is said of an object when it is put."""

    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""  # the MD5 of the bytes unless said
    checksums: Mapping[str, str] | None = None  # those of the bytes unless said
    parts: list[Document] = field(default_factory=list)
    call: str = "Put"  # the last word of its event's name: "Put", "Copy", "CompleteMultipartUpload"


class Store:
    """All buckets' objects. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self.files = Files(folder / "files")
        self.index = Index(folder / "index.sqlite")
        self.outbox = Outbox(self.index)

    # Buckets

    def create_bucket(self, bucket: str) -> None:
        with self.index.write() as db:
            db.execute("insert or ignore into buckets (name, created) values (?, ?)", (bucket, time.time()))

    def require_empty(self, bucket: str) -> None:
        """Raises AwsError NoSuchBucket, BucketNotEmpty."""
        self.require_bucket(bucket)
        if self.index.db.execute("select 1 from versions where bucket = ? limit 1", (bucket,)).fetchone():
            message = "The bucket you tried to delete is not empty"
            raise AwsError("BucketNotEmpty", message, status=409, BucketName=bucket)

    def delete_bucket(self, bucket: str) -> None:
        with self.index.write() as db:
            db.execute("delete from buckets where name = ?", (bucket,))
            db.execute("delete from notifications where bucket = ?", (bucket,))

    def require_bucket(self, bucket: str) -> None:
        """Raises AwsError NoSuchBucket."""
        if not self.index.db.execute("select 1 from buckets where name = ?", (bucket,)).fetchone():
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404, BucketName=bucket)

    def versioning(self, bucket: str) -> str:
        """Whether a bucket is "Enabled" or "Suspended"; "" before either."""
        row = self.index.db.execute("select versioning from buckets where name = ?", (bucket,)).fetchone()
        return str(row["versioning"]) if row else ""

    def set_versioning(self, bucket: str, status: str) -> None:
        with self.index.write() as db:
            db.execute("update buckets set versioning = ? where name = ?", (status, bucket))

    # Reading

    def head(self, bucket: str, key: str) -> Stored | None:
        row = self.index.db.execute(
            "select * from versions where bucket = ? and key = ? and latest = 1 and marker = 0", (bucket, key)
        ).fetchone()
        return self.stored(row) if row else None

    def version(self, bucket: str, key: str, version: str | None = None) -> Stored:
        """A version, the newest unless named; it may be a delete marker. Raises AwsError NoSuchBucket, NoSuchKey,
        NoSuchVersion.
        """
        chosen, values = ("latest = 1", (bucket, key)) if version is None else ("version = ?", (bucket, key, version))
        row = self.index.db.execute(
            f"select * from versions where bucket = ? and key = ? and {chosen}",  # noqa: S608 - one of two texts of ours
            values,
        ).fetchone()
        if row:
            return self.stored(row)
        self.require_bucket(bucket)
        if version is not None:
            message = "The specified version does not exist."
            raise AwsError("NoSuchVersion", message, status=404, Key=key, VersionId=version)
        raise no_such_key(key)

    def list(self, bucket: str, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Objects under a prefix whose key is greater than `after`, by key. Raises AwsError NoSuchBucket."""
        self.require_bucket(bucket)
        last = after
        end = after_prefix(prefix)
        while True:
            rows = self.index.db.execute(
                "select * from versions where bucket = ? and latest = 1 and marker = 0 and key >= ? and key > ?"
                " and (? is null or key < ?) order by key limit ?",
                (bucket, prefix, last, end, end, _PAGE),
            ).fetchall()
            yield from map(self.stored, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1]["key"]

    # Writing

    def put_file(self, bucket: str, key: str, source: Path) -> Stored:
        """Move a finished local file in as an object, atomically. Raises AwsError NoSuchBucket."""
        self.require_bucket(bucket)
        return self.put(bucket, key, self.files.adopt(source, like=key), Draft())

    def put(self, bucket: str, key: str, written: Written, draft: Draft) -> Stored:
        """Make a written file the newest version of a key. Raises AwsError NoSuchBucket."""
        now = time.time()
        with self.index.write() as db:
            version = self._make_room(db, bucket, key)
            db.execute(
                "insert into versions (bucket, key, version, latest, marker, file, size, etag, modified, headers,"
                " tags, checksums, parts) values (?, ?, ?, 1, 0, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    bucket, key, version, written.file, written.size, draft.etag or written.md5, now,
                    json.dumps(dict(draft.headers)), json.dumps(dict(draft.tags)),
                    json.dumps(dict(written.checksums if draft.checksums is None else draft.checksums)),
                    json.dumps(draft.parts),
                ),
            )  # fmt: skip
            self._report(db, f"s3:ObjectCreated:{draft.call}", self.version(bucket, key, version))
        self.sweep()
        return self.version(bucket, key, version)

    def delete(self, bucket: str, key: str) -> Stored | None:
        """Delete without naming a version: a marker where versions are kept, which is returned. A key that is not
        there is deleted as well as any. Raises AwsError NoSuchBucket.
        """
        with self.index.write() as db:
            existing = self.head(bucket, key)
            version = self._make_room(db, bucket, key)
            if not self.versioning(bucket):
                if existing is not None:
                    self.outbox.add(db, Event(name="s3:ObjectRemoved:Delete", bucket=bucket, key=key))
                return None
            db.execute(
                "insert into versions (bucket, key, version, latest, marker, file, size, etag, modified, headers,"
                " tags, checksums, parts) values (?, ?, ?, 1, 1, '', 0, '', ?, '{}', '{}', '{}', '[]')",
                (bucket, key, version, time.time()),
            )
            marker = Event(name="s3:ObjectRemoved:DeleteMarkerCreated", bucket=bucket, key=key, version=version)
            self.outbox.add(db, marker)
        return self.version(bucket, key, version)

    def delete_version(self, bucket: str, key: str, version: str) -> Stored | None:
        """Remove one version for good; returns what it was. Raises AwsError NoSuchBucket."""
        self.require_bucket(bucket)
        with self.index.write() as db:
            row = db.execute(
                "select * from versions where bucket = ? and key = ? and version = ?", (bucket, key, version)
            ).fetchone()
            if row is None:
                return None
            self._remove(db, row)
            db.execute(
                "update versions set latest = 1 where seq ="
                " (select max(seq) from versions where bucket = ? and key = ?)"
                " and not exists (select 1 from versions where bucket = ? and key = ? and latest = 1)",
                (bucket, key, bucket, key),
            )
            self.outbox.add(db, Event(name="s3:ObjectRemoved:Delete", bucket=bucket, key=key, version=version))
        return self.stored(row)

    def set_tags(self, stored: Stored, tags: Mapping[str, str]) -> None:
        with self.index.write() as db:
            db.execute(
                "update versions set tags = ? where bucket = ? and key = ? and version = ?",
                (json.dumps(dict(tags)), stored.bucket, stored.key, stored.version),
            )
            self._report(db, f"s3:ObjectTagging:{'Put' if tags else 'Delete'}", stored)

    def discard(self, db: sqlite3.Connection, file: str) -> None:
        """Have a file removed once those who may be about to read it have had the time."""
        db.execute("insert or ignore into garbage values (?, ?)", (file, time.time()))

    def sweep(self) -> None:
        """Remove files that were discarded long enough ago."""
        due = self.index.db.execute(
            "select file from garbage where since < ? limit 100", (time.time() - GRACE_SECONDS,)
        ).fetchall()
        if not due:
            return
        for row in due:
            self.files.remove(row["file"])
        with self.index.write() as db:
            db.executemany("delete from garbage where file = ?", [(row["file"],) for row in due])

    def _make_room(self, db: sqlite3.Connection, bucket: str, key: str) -> str:
        """Make the newest version of a key an older one, or remove it; returns the name of the one to come."""
        self.require_bucket(bucket)
        status = self.versioning(bucket)
        version = secrets.token_urlsafe(24) if status == "Enabled" else NULL
        if version == NULL:
            old = db.execute(
                "select * from versions where bucket = ? and key = ? and version = ?", (bucket, key, NULL)
            ).fetchone()
            if old is not None:
                self._remove(db, old)
        db.execute("update versions set latest = 0 where bucket = ? and key = ? and latest = 1", (bucket, key))
        return version

    def _report(self, db: sqlite3.Connection, name: str, stored: Stored) -> None:
        version = stored.version if self.versioning(stored.bucket) else None
        event = Event(
            name=name, bucket=stored.bucket, key=stored.key, size=stored.size, etag=stored.etag, version=version
        )
        self.outbox.add(db, event)

    def _remove(self, db: sqlite3.Connection, row: sqlite3.Row) -> None:
        db.execute("delete from versions where seq = ?", (row["seq"],))
        if row["file"]:
            self.discard(db, row["file"])

    def stored(self, row: sqlite3.Row) -> Stored:
        """The version that a row of the index is."""
        return Stored(
            bucket=row["bucket"],
            key=row["key"],
            version=row["version"],
            latest=bool(row["latest"]),
            marker=bool(row["marker"]),
            size=row["size"],
            etag=row["etag"],
            modified=datetime.fromtimestamp(row["modified"], UTC),
            path=self.files.path(row["file"]),
            headers=json.loads(row["headers"]),
            tags=json.loads(row["tags"]),
            checksums=json.loads(row["checksums"]),
            parts=json.loads(row["parts"]),
        )


def no_such_key(key: str) -> AwsError:
    return AwsError("NoSuchKey", "The specified key does not exist.", status=404, Key=key)
