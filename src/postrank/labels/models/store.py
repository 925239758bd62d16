"""Stored models: `models/<name>/<version>/` in the artifacts bucket, or the same files in a folder.

A version is written once. Its manifest comes last and names the checksum of every file, so that a model of which a part
is missing or was changed is not used.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from postrank.errors import Fatal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "models/"  # in the artifacts bucket
MODEL = "model.skops"
METRICS = "metrics.json"
CARD = "card.md"
MANIFEST = "manifest.json"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class NoSuchModel(Fatal):
    """A model is not stored."""


class DamagedModel(Fatal):
    """A stored model is not what its manifest says."""


class ModelExists(Fatal):
    """A version is stored already, with other content."""


class Store(Protocol):
    """Files below a prefix."""

    def read(self, path: str) -> bytes | None:
        """A file; None where there is none."""
        ...

    def write(self, path: str, body: bytes) -> None: ...

    def url(self, path: str) -> str: ...


@dataclass(frozen=True, slots=True)
class BucketStore:
    """A bucket. `s3` is boto3's S3 client."""

    s3: "S3Client"
    bucket: str

    def read(self, path: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=path)["Body"].read()
        except ClientError as error:
            # S3 says AccessDenied of an absent key to a caller who may not list the bucket ("GetObject", Permissions).
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                return None
            raise

    def write(self, path: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=path, Body=body)

    def url(self, path: str) -> str:
        return f"s3://{self.bucket}/{path}"


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder of this machine."""

    root: Path

    def read(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, body: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)

    def url(self, path: str) -> str:
        return str(self.root / path)


def publish(store: Store, name: str, version: str, files: Mapping[str, bytes]) -> str:
    """Store a version of a model; returns where. The same content again changes nothing. Raises ModelExists."""
    place = folder(name, version)
    checksums = {path: hashlib.sha256(body).hexdigest() for path, body in sorted(files.items())}
    manifest = {"model": name, "version": version, "sha256": checksums}
    body = (json.dumps(manifest, indent=1) + "\n").encode()
    existing = store.read(f"{place}{MANIFEST}")
    if existing is not None and existing != body:
        raise ModelExists(f"{store.url(place)} exists with other content: a version is never written twice")
    if existing is None:
        for path, content in files.items():
            store.write(f"{place}{path}", content)
        store.write(f"{place}{MANIFEST}", body)
    return store.url(place)


def stored_files(store: Store, name: str, version: str) -> dict[str, bytes]:
    """The files of a stored version, whose checksums were compared. Raises NoSuchModel, DamagedModel."""
    place = folder(name, version)
    manifest = store.read(f"{place}{MANIFEST}")
    if manifest is None:
        raise NoSuchModel(
            f"there is no model {name} {version}: {store.url(place)}{MANIFEST} does not exist or may not be read"
        )
    files = {}
    for path, checksum in json.loads(manifest)["sha256"].items():
        body = store.read(f"{place}{path}")
        if body is None or hashlib.sha256(body).hexdigest() != checksum:
            raise DamagedModel(f"{store.url(place)}{path} is {'missing' if body is None else 'not what was stored'}")
        files[path] = body
    if MODEL not in files:
        raise DamagedModel(f"{store.url(place)}{MANIFEST} names no {MODEL}")
    return files


def folder(name: str, version: str) -> str:
    """The prefix of a version. Raises NoSuchModel for what is no name or version."""
    for part in (name, version):
        if not NAME.fullmatch(part):
            raise NoSuchModel(f"{part!r} is no name or version of a model: lower-case letters, digits and . _ -")
    return f"{PREFIX}{name}/{version}/"
