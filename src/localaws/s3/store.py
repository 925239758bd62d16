"""Objects as files below the state folder, with their names and metadata in SQLite.

An object's file is written and synced first, then named in the index: what was acknowledged is there after a kill, and a file that no
row names is left over from a write that was not.
"""

import hashlib
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from localaws.service import AwsError, ObjectInfo

_SCHEMA = """
create table if not exists buckets (name text primary key);
create table if not exists objects (
    bucket text not null, key text not null, file text not null, size integer not null, etag text not null,
    modified real not null, headers text not null, primary key (bucket, key)
) without rowid;
create table if not exists uploads (id text primary key, bucket text not null, key text not null, headers text not null);
create table if not exists parts (
    upload text not null, number integer not null, file text not null, size integer not null, etag text not null,
    primary key (upload, number)
);
"""
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(ObjectInfo):
    """An object with the headers that it was put with (content type, user metadata, ...), by lower-case name."""

    headers: Mapping[str, str] = field(default_factory=dict)


class Store:
    """All buckets' objects. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._files.mkdir(parents=True, exist_ok=True)
        self._path = folder / "index.sqlite"
        self._local = threading.local()
        self._write = threading.Lock()
        with self._write:
            self._db.executescript(_SCHEMA)

    @property
    def _db(self) -> sqlite3.Connection:
        if not hasattr(self._local, "db"):
            db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            db.row_factory = sqlite3.Row
            self._local.db = db
        connection: sqlite3.Connection = self._local.db
        return connection

    # Buckets

    def create_bucket(self, bucket: str) -> None:
        with self._write:
            self._db.execute("insert or ignore into buckets values (?)", (bucket,))

    def delete_bucket(self, bucket: str) -> None:
        """Raises AwsError BucketNotEmpty."""
        with self._write:
            if self._db.execute("select 1 from objects where bucket = ? limit 1", (bucket,)).fetchone():
                raise AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", status=409)
            self._db.execute("delete from buckets where name = ?", (bucket,))

    def require_bucket(self, bucket: str) -> None:
        """Raises AwsError NoSuchBucket."""
        if not self._db.execute("select 1 from buckets where name = ?", (bucket,)).fetchone():
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404, BucketName=bucket)

    # Objects

    def head(self, bucket: str, key: str) -> Stored | None:
        row = self._db.execute("select * from objects where bucket = ? and key = ?", (bucket, key)).fetchone()
        return self._stored(row) if row else None

    def get(self, bucket: str, key: str) -> Stored:
        """Raises AwsError NoSuchBucket or NoSuchKey."""
        found = self.head(bucket, key)
        if found is None:
            self.require_bucket(bucket)
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404, Key=key)
        return found

    def list(self, bucket: str, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Objects under a prefix whose key is greater than `after`, by key. Raises AwsError NoSuchBucket."""
        self.require_bucket(bucket)
        last, end = after, _after_prefix(prefix)
        while True:
            rows = self._db.execute(
                "select * from objects where bucket = ? and key >= ? and key > ? and (? is null or key < ?)"
                " order by key limit ?",
                (bucket, prefix, last, end, end, _PAGE),
            ).fetchall()
            for row in rows:
                yield self._stored(row)
            if len(rows) < _PAGE:
                return
            last = rows[-1]["key"]

    def put(self, bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> Stored:
        """Store one object. Raises AwsError NoSuchBucket."""
        self.require_bucket(bucket)
        name = self._new_file()
        self._sync_write(name, body)
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return self._insert(bucket, key, name, len(body), etag, headers)

    def put_file(self, bucket: str, key: str, source: Path) -> Stored:
        """Move a finished local file in as an object, atomically. Raises AwsError NoSuchBucket."""
        self.require_bucket(bucket)
        digest = hashlib.md5(usedforsecurity=False)
        with source.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
            os.fsync(content.fileno())
        name, size = self._new_file(), source.stat().st_size
        os.replace(source, self._files / name)
        return self._insert(bucket, key, name, size, digest.hexdigest(), {})

    def delete(self, bucket: str, key: str) -> None:
        """Raises AwsError NoSuchBucket; a key that is not there is deleted as well as any."""
        self.require_bucket(bucket)
        with self._write:
            row = self._db.execute("select file from objects where bucket = ? and key = ?", (bucket, key)).fetchone()
            self._db.execute("delete from objects where bucket = ? and key = ?", (bucket, key))
        if row:
            self._unlink(row["file"])

    # Multipart uploads

    def begin_upload(self, bucket: str, key: str, headers: Mapping[str, str]) -> str:
        self.require_bucket(bucket)
        upload = uuid.uuid4().hex
        with self._write:
            self._db.execute(
                "insert into uploads values (?, ?, ?, ?)", (upload, bucket, key, json.dumps(dict(headers)))
            )
        return upload

    def put_part(self, upload: str, number: int, body: bytes) -> str:
        """Store a part; returns its ETag. Raises AwsError NoSuchUpload."""
        self._upload(upload)
        name, etag = self._new_file(), hashlib.md5(body, usedforsecurity=False).hexdigest()
        self._sync_write(name, body)
        with self._write:
            old = self._db.execute(
                "select file from parts where upload = ? and number = ?", (upload, number)
            ).fetchone()
            self._db.execute(
                "insert or replace into parts values (?, ?, ?, ?, ?)", (upload, number, name, len(body), etag)
            )
        if old:
            self._unlink(old["file"])
        return etag

    def complete_upload(self, upload: str, numbers: Sequence[int]) -> Stored:
        """Join the parts; the ETag is that of a multipart object. Raises AwsError NoSuchUpload, InvalidPart."""
        begun = self._upload(upload)
        parts = {row["number"]: row for row in self._parts(upload)}
        if not numbers or any(number not in parts for number in numbers):
            raise AwsError("InvalidPart", "One or more of the specified parts could not be found.")
        name, size = self._new_file(), 0
        with (self._files / name).open("wb") as out:
            for number in numbers:
                size += out.write((self._files / parts[number]["file"]).read_bytes())
            out.flush()
            os.fsync(out.fileno())
        digests = b"".join(bytes.fromhex(parts[number]["etag"]) for number in numbers)
        etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(numbers)}"
        stored = self._insert(begun["bucket"], begun["key"], name, size, etag, json.loads(begun["headers"]))
        self._forget_upload(upload)
        return stored

    def abort_upload(self, upload: str) -> None:
        """Raises AwsError NoSuchUpload."""
        self._upload(upload)
        self._forget_upload(upload)

    def _upload(self, upload: str) -> sqlite3.Row:
        row: sqlite3.Row | None = self._db.execute("select * from uploads where id = ?", (upload,)).fetchone()
        if row is None:
            raise AwsError(
                "NoSuchUpload", "The specified multipart upload does not exist.", status=404, UploadId=upload
            )
        return row

    def _parts(self, upload: str) -> Sequence[sqlite3.Row]:
        return self._db.execute("select * from parts where upload = ? order by number", (upload,)).fetchall()

    def _forget_upload(self, upload: str) -> None:
        files = [row["file"] for row in self._parts(upload)]
        with self._write:
            self._db.execute("delete from parts where upload = ?", (upload,))
            self._db.execute("delete from uploads where id = ?", (upload,))
        for name in files:
            self._unlink(name)

    # Files

    def _new_file(self) -> str:
        name = uuid.uuid4().hex
        (self._files / name[:2]).mkdir(exist_ok=True)
        return f"{name[:2]}/{name}"

    def _sync_write(self, name: str, body: bytes) -> None:
        with (self._files / name).open("wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())

    def _insert(self, bucket: str, key: str, name: str, size: int, etag: str, headers: Mapping[str, str]) -> Stored:
        modified = datetime.now(UTC)
        with self._write:
            old = self._db.execute("select file from objects where bucket = ? and key = ?", (bucket, key)).fetchone()
            self._db.execute(
                "insert or replace into objects values (?, ?, ?, ?, ?, ?, ?)",
                (bucket, key, name, size, etag, modified.timestamp(), json.dumps(dict(headers))),
            )
        if old:
            self._unlink(old["file"])
        path = self._files / name
        return Stored(key=key, size=size, etag=etag, modified=modified, path=path, headers=dict(headers))

    def _unlink(self, name: str) -> None:
        (self._files / name).unlink(missing_ok=True)

    def _stored(self, row: sqlite3.Row) -> Stored:
        return Stored(
            key=row["key"],
            size=row["size"],
            etag=row["etag"],
            modified=datetime.fromtimestamp(row["modified"], UTC),
            path=self._files / row["file"],
            headers=json.loads(row["headers"]),
        )


def _after_prefix(prefix: str) -> str | None:
    """The least text that is greater than all that begins with `prefix`, or None."""
    trimmed = prefix.rstrip("\U0010ffff")
    return trimmed[:-1] + chr(ord(trimmed[-1]) + 1) if trimmed else None
