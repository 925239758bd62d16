"""What was posted in a run's interval, exported with its ranking for the report: hashtags, types, text lengths; and
what was requested, where access logs arrive.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from postrank.aws.athena import Athena
from postrank.documents import Document, JsonObject
from postrank.ranking.export_reader import Results
from postrank.report.exports import HASHTAGS, POSTS, REQUESTS, Export

_LISTED = {
    "hashtags": 50,
    "hashtag_days": 5,
    "author_lengths": 100,
    "cascades": 20,
    "busiest": 50,
}  # rows of each statement, of some a day
_DOCUMENTS = {
    HASHTAGS: {"hashtags": "hashtags", "days": "hashtag_days"},
    POSTS: {"types": "posts_by_type", "authors": "author_lengths", "cascades": "cascades"},
    REQUESTS: {"busiest": "busiest"},
}
_WHOLE = (
    *"posts authors rank reposts quotes depth width half_seconds last_seconds".split(),
    *"requests client_errors server_errors others bytes".split(),
)
_NUMBERS: Mapping[str, Callable[[str], Any]] = {**dict.fromkeys(_WHOLE, int), "mean_length": float}


def export_words(export: Export, results: Results, athena: Athena, render: Callable[..., str]) -> None:
    """Ask for the export's interval and networks, and write the answers into it; `render` fills a file of
    `include/sql`.
    """
    scope = scope_of(export.manifest)
    for name, parts in _DOCUMENTS.items():
        if name == REQUESTS and not _may_hold_requests(export.manifest):
            continue
        documents = {
            part: _rows(athena, render(f"exports/{statement}.sql", **scope, limit=_LISTED.get(statement, 0)))
            for part, statement in parts.items()
        }
        if name == REQUESTS and not documents["busiest"]:
            continue
        results.s3.put_object(
            Bucket=results.bucket,
            Key=f"rankings/run={export.run}/{name}",
            Body=orjson.dumps(documents, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
            ContentType="application/json",
        )


def _may_hold_requests(manifest: JsonObject) -> bool:
    """Whether lines of access logs arrived, or nothing did and an interval was asked for that may hold some."""
    lines = manifest["arrived_lines"]
    return bool(lines.get("log")) or (manifest["interval_requested"] and not lines)


def scope_of(manifest: JsonObject) -> Document:
    """The posts that the ranking was made of, as the statements' parameters."""
    start = manifest["interval"]["start"]
    end = manifest["interval"]["end"]
    return {
        "first_day": start[:10],
        "arrival_from": (datetime.fromisoformat(start) - timedelta(days=1)).date().isoformat(),
        "last_day": (datetime.fromisoformat(end) - timedelta(microseconds=1)).date().isoformat(),
        "all_from": start,
        "all_to": end,
        "networks_ranked": manifest["networks"],
        "all_networks": not manifest["networks"],
        "include_reposts": manifest["include_reposts"],
        "has_tag": bool(manifest.get("tag")),
        "tag": manifest.get("tag") or "",
    }


def _rows(athena: Athena, statement: str) -> list[Document]:
    return [
        {name: _NUMBERS.get(name, str)(value) if value is not None else None for name, value in row.items()}
        for row in athena.rows(statement)
    ]
