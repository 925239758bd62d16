"""Reading what was exported: the newest run, a run's manifest, its rows."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from postrank.errors import Fatal
from postrank.ranking.export_writer import LATEST


class NothingExported(Fatal):
    """There is no such export."""

    def __init__(self, where: str) -> None:
        super().__init__(f"nothing was exported to {where} yet")
        self.where = where


class Exports(ABC):
    """Exports by their keys, wherever they lie."""

    @abstractmethod
    def body(self, key: str) -> bytes:
        """One exported object, as it is. Raises NothingExported."""

    def latest(self) -> dict[str, Any]:
        """The pointer to the newest export: `run`, `manifest` (its key), `interval`, ... Raises NothingExported."""
        return self._json(LATEST)

    def manifest(self, run: str | None = None) -> dict[str, Any]:
        """The manifest of a run (the newest unless named). Raises NothingExported."""
        return self._json(f"rankings/run={run}/manifest.json" if run else self.latest()["manifest"])

    def rows(self, granularity: str, run: str | None = None) -> list[dict[str, Any]]:
        """The ranked authors of a granularity, in order of window and rank. Raises NothingExported."""
        run = run or self.latest()["run"]
        rows: list[dict[str, Any]] = orjson.loads(
            self.body(f"rankings/run={run}/granularity={granularity}/ranked_authors.json")
        )
        return rows

    def _json(self, key: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body(key))
        return document


@dataclass(frozen=True, slots=True)
class Results(Exports):
    """The exports in the results bucket. `s3` is boto3's S3 client."""

    s3: Any
    bucket: str

    def body(self, key: str) -> bytes:
        """One exported object, as it is. Raises NothingExported."""
        try:
            body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey as error:
            raise NothingExported(f"s3://{self.bucket}/{key}") from error
        return body


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
