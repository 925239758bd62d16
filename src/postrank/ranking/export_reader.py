"""Reading what was exported: the newest run, a run's manifest, its rows."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.ranking.export_writer import LATEST
from postrank.suggestions import nearest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LISTED = 10  # runs that a message names


class NothingExported(Fatal):
    """There is no such export."""

    def __init__(self, where: str) -> None:
        super().__init__(f"nothing was exported to {where} yet: rank_authors exports when it has ranked")
        self.where = where


class NoSuchRun(Fatal):
    """No run of this name has an export."""

    def __init__(self, run: str, runs: list[str]) -> None:
        listed = ", ".join(runs[-_LISTED:]) or "there is none"
        more = f" and {len(runs) - _LISTED} older ones" if len(runs) > _LISTED else ""
        super().__init__(f"no run {run!r} was exported{nearest(run, runs)}; exported runs: {listed}{more}")
        self.run = run


class Exports(ABC):
    """Exports by their keys, wherever they lie."""

    @abstractmethod
    def body(self, key: str) -> bytes:
        """One exported object, as it is. Raises NothingExported."""

    @abstractmethod
    def runs(self) -> list[str]:
        """The runs that have an export, in order of their names."""

    def latest(self) -> Document:
        """The pointer to the newest export: `run`, `manifest` (its key), `interval`, ... Raises NothingExported."""
        return self._json(LATEST)

    def manifest(self, run: str | None = None) -> Document:
        """The manifest of a run (the newest unless named). Raises NothingExported."""
        return self._json(f"rankings/run={run}/manifest.json" if run else self.latest()["manifest"])

    def rows(self, granularity: str, run: str | None = None) -> list[Document]:
        """The ranked authors of a granularity, in order of window and rank. Raises NothingExported."""
        run = run or self.latest()["run"]
        rows: list[Document] = orjson.loads(
            self.body(f"rankings/run={run}/granularity={granularity}/ranked_authors.json")
        )
        return rows

    def checked(self, run: str | None) -> str:
        """`run`, or the newest one's name. Raises NoSuchRun, NothingExported."""
        if run is None:
            return str(self.latest()["run"])
        try:
            self.manifest(run)
        except NothingExported as error:
            raise NoSuchRun(run, self.runs()) from error
        return run

    def _json(self, key: str) -> Document:
        document: Document = json.loads(self.body(key))
        return document


def _run_of(key: str) -> str:
    """The run in `rankings/run=NAME/...`."""
    return key.split("run=", 1)[1].split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Results(Exports):
    """The exports in the results bucket. `s3` is boto3's S3 client."""

    s3: "S3Client"
    bucket: str

    def body(self, key: str) -> bytes:
        """One exported object, as it is. Raises NothingExported."""
        try:
            body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey as error:
            raise NothingExported(f"s3://{self.bucket}/{key}") from error
        return body

    def runs(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix="rankings/run=", Delimiter="/"
        )
        return sorted(_run_of(entry["Prefix"]) for page in pages for entry in page.get("CommonPrefixes", ()))


@dataclass(frozen=True, slots=True)
class Copy(Exports):
    """The exports in a copy of the results bucket, in a folder."""

    folder: Path

    def body(self, key: str) -> bytes:
        """One exported object, as it is. Raises NothingExported."""
        path = self.folder / key
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise NothingExported(str(path)) from error

    def runs(self) -> list[str]:
        return sorted(_run_of(f"{path.name}/") for path in (self.folder / "rankings").glob("run=*"))
