"""Multipart uploads: parts kept as files until they are put together.

Source of the rules: "Uploading and copying objects using multipart upload".
"""

import hashlib
import json
import secrets
import sqlite3
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from localaws.core.cloud import AwsError
from localaws.core.shapes import Structure
from localaws.services.s3 import checksums
from localaws.services.s3.blobs import Written
from localaws.services.s3.store import Draft, Store, Stored

_LEAST_PART = 5 << 20  # "Amazon S3 multipart upload limits": all parts but the last
_COPY = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload that is under way."""

    id: str
    bucket: str
    key: str
    begun: datetime
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    number: int
    file: str
    size: int
    etag: str
    modified: datetime
    checksums: Mapping[str, str]


class Uploads:
    """The uploads of all buckets, in the store's index."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index = store.index

    def begin(self, bucket: str, key: str, headers: Mapping[str, str], tags: Mapping[str, str], algorithm: str) -> str:
        """The id of a new upload. Raises AwsError NoSuchBucket."""
        self._store.require_bucket(bucket)
        upload = secrets.token_urlsafe(48)
        with self._index.write() as db:
            db.execute(
                "insert into uploads values (?, ?, ?, ?, ?, ?, ?)",
                (upload, bucket, key, time.time(), json.dumps(dict(headers)), json.dumps(dict(tags)), algorithm),
            )
        return upload

    def get(self, bucket: str, key: str, upload: str) -> Upload:
        """Raises AwsError NoSuchUpload."""
        row = self._index.db.execute(
            "select * from uploads where id = ? and bucket = ? and key = ?", (upload, bucket, key)
        ).fetchone()
        if row is None:
            raise AwsError(
                "NoSuchUpload",
                "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have"
                " been aborted or completed.",
                status=404,
                UploadId=upload,
            )
        return _upload(row)

    def put_part(self, upload: Upload, number: int, written: Written) -> None:
        """Keep a part, in place of one of the same number."""
        with self._index.write() as db:
            self.get(upload.bucket, upload.key, upload.id)  # it may have been aborted meanwhile
            old = db.execute("select file from parts where upload = ? and number = ?", (upload.id, number)).fetchone()
            if old:
                self._store.discard(db, old["file"])
            db.execute(
                "insert or replace into parts values (?, ?, ?, ?, ?, ?, ?)",
                (
                    upload.id, number, written.file, written.size, written.md5, time.time(),
                    json.dumps(dict(written.checksums)),
                ),
            )  # fmt: skip

    def parts(self, upload: str, after: int = 0) -> list[Part]:
        rows = self._index.db.execute(
            "select * from parts where upload = ? and number > ? order by number", (upload, after)
        ).fetchall()
        return [_part(row) for row in rows]

    def under_way(self, bucket: str, prefix: str) -> list[Upload]:
        """Uploads under way in a bucket, by key and age. Raises AwsError NoSuchBucket."""
        self._store.require_bucket(bucket)
        rows = self._index.db.execute(
            "select * from uploads where bucket = ? and substr(key, 1, ?) = ? order by key, begun, id",
            (bucket, len(prefix), prefix),
        ).fetchall()
        return [_upload(row) for row in rows]

    def complete(self, upload: Upload, named: Sequence[Structure]) -> Stored:
        """Put the named parts together. Raises AwsError InvalidPart, InvalidPartOrder, EntityTooSmall."""
        chosen = self._chosen(upload, named)
        algorithm = upload.algorithm
        written = self._store.files.write(self._joined(chosen), like=upload.key)
        sums = {algorithm: _composite(algorithm, chosen)} if algorithm else {}
        digests = b"".join(bytes.fromhex(part.etag) for part in chosen)
        draft = Draft(
            headers=upload.headers,
            tags=upload.tags,
            etag=f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(chosen)}",
            checksums={name: value for name, value in sums.items() if value},
            parts=[{"PartNumber": part.number, "Size": part.size} for part in chosen],
            call="CompleteMultipartUpload",
        )
        with self._index.write() as db:
            stored = self._store.put(upload.bucket, upload.key, written, draft)
            self._forget(db, upload)
        return stored

    def abort(self, upload: Upload) -> None:
        with self._index.write() as db:
            self._forget(db, upload)

    def _chosen(self, upload: Upload, named: Sequence[Structure]) -> list[Part]:
        parts = {part.number: part for part in self.parts(upload.id)}
        numbers = [int(part.get("PartNumber") or 0) for part in named]
        if not numbers:
            raise AwsError("MalformedXML", "You must specify at least one part")
        if numbers != sorted(set(numbers)):
            raise AwsError("InvalidPartOrder", "The list of parts was not in ascending order.")
        for part, number in zip(named, numbers, strict=True):
            if number not in parts or str(part.get("ETag", "")).strip('"') not in ("", parts[number].etag):
                message = "One or more of the specified parts could not be found."
                raise AwsError("InvalidPart", message, UploadId=upload.id, PartNumber=number)
        if any(parts[number].size < _LEAST_PART for number in numbers[:-1]):
            raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        return [parts[number] for number in numbers]

    def _joined(self, parts: Sequence[Part]) -> Iterator[bytes]:
        for part in parts:
            with self._store.files.path(part.file).open("rb") as file:
                while block := file.read(_COPY):
                    yield block

    def _forget(self, db: sqlite3.Connection, upload: Upload) -> None:
        for part in self.parts(upload.id):
            self._store.discard(db, part.file)
        db.execute("delete from parts where upload = ?", (upload.id,))
        db.execute("delete from uploads where id = ?", (upload.id,))


def _composite(algorithm: str, parts: Sequence[Part]) -> str:
    """The checksum of the parts' checksums; "" where a part has none."""
    sums = [part.checksums.get(algorithm, "") for part in parts]
    if not all(sums):
        return ""
    digest = checksums.new(algorithm)
    digest.update(b"".join(b64decode(checksum) for checksum in sums))
    return f"{b64encode(digest.digest()).decode()}-{len(parts)}"


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(
        id=row["id"],
        bucket=row["bucket"],
        key=row["key"],
        begun=datetime.fromtimestamp(row["begun"], UTC),
        headers=json.loads(row["headers"]),
        tags=json.loads(row["tags"]),
        algorithm=row["algorithm"],
    )


def _part(row: sqlite3.Row) -> Part:
    return Part(
        number=row["number"],
        file=row["file"],
        size=row["size"],
        etag=row["etag"],
        modified=datetime.fromtimestamp(row["modified"], UTC),
        checksums=json.loads(row["checksums"]),
    )
