"""The trends in Postgres: rows for people's tools, put there from the documents of the results bucket, the truth.

A document replaces what Postgres has of its hour (and place), in one transaction; values are bound, never written into
a statement.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postrank.documents import JsonObject
from postrank.trends.hashtags import HASHTAGS, HOURS
from postrank.trends.x_places import is_place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """`connect` opens a connection (PEP 249, with named parameters); `statement` reads a file of `include/postgres`."""

    connect: Callable[[], Any]
    statement: Callable[[str], str]
    s3: "S3Client"
    bucket: str  # of results

    def store(self, keys: Iterable[str]) -> int:
        """Put the documents of the keys into Postgres; returns how many rows."""
        rows = 0
        with closing(self.connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute(self.statement("tables.sql"))
            connection.commit()
            for key in keys:
                with connection.cursor() as cursor:
                    rows += self._replace(cursor, key)
                connection.commit()
        return rows

    def keys(self, *, places: bool) -> Iterator[str]:
        """Every document of hashtags, or of places, that the results bucket holds."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=HOURS):
            for entry in page.get("Contents", ()):
                if is_place(entry["Key"]) if places else entry["Key"].endswith(f"/{HASHTAGS}.json"):
                    yield entry["Key"]

    def _replace(self, cursor: Any, key: str) -> int:
        document = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        name, rows = ("places", _trends(document)) if is_place(key) else ("hashtags", _hashtags(document))
        if rows:
            cursor.executemany(self.statement(f"{name}.sql"), rows)
        about = {"window_start": document["window_start"], "woeid": document.get("woeid"), "last": len(rows)}
        cursor.execute(self.statement(f"{name}_below.sql"), about)
        return len(rows)


def _hashtags(document: JsonObject) -> list[JsonObject]:
    return [{**row, "window_start": document["window_start"]} for row in document["hashtags"]]


def _trends(document: JsonObject) -> list[JsonObject]:
    about = {name: document[name] for name in ("window_start", "woeid", "place", "heard_at")}
    return [{**about, **row} for row in document["trends"]]
