"""The lines that a run rejected: a copy of their ledger, and the first few for the person who started it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from postrank.documents import Document

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rejects:
    """Rows of the rejects' ledger, oldest first, and the file that holds them all."""

    rows: list[Document]
    path: Path

    @classmethod
    def copied(cls, s3: "S3Client", bucket: str, prefix: str, path: Path) -> "Rejects":
        """Read every object below `prefix` and write its rows, one JSON object a line, to `path`."""
        bodies = [
            s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for entry in page.get("Contents", ())
        ]
        path.write_bytes(b"".join(bodies))
        return cls([orjson.loads(line) for body in bodies for line in body.splitlines()], path)

    def sentences(self) -> list[str]:
        """What to print: where the first rejected lines are and what is wrong with them, and where the others are."""
        sentences = [f"Rejected: {_where(row)}: {row['reason']}" for row in self.rows[:_SHOWN]]
        if self.rows:
            lines = sum(row.get("lines", 1) for row in self.rows)
            sentences.append(f"All {lines:,} rejected lines ({self._lost()} lost), with reasons: {self.path}")
        return sentences

    def _lost(self) -> str:
        """How many posts the rejects stand for, as far as that can be counted."""
        posts = sum(row.get("posts", 1) for row in self.rows)
        least = any(row.get("at_least") for row in self.rows)
        return f"{'at least ' if least else ''}{posts:,} {'post' if posts == 1 else 'posts'}"


def _where(row: Document) -> str:
    return row["source"] if row["offset"] is None else f"{row['source']}, byte {row['offset']}"
