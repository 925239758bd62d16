"""The hashtags of a run's interval, exported beside its ranking for the report."""

from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from postrank.aws.athena import Athena
from postrank.report.exports import HASHTAGS, Export
from postrank.results.reader import Results

LISTED = 50


def export_hashtags(export: Export, results: Results, athena: Athena, render: Callable[..., str]) -> None:
    """Count the hashtags of the export's interval and networks, and write them into it; `render` fills a file of
    `include/sql`.
    """
    manifest = export.manifest
    start, end = manifest["interval"]["start"], manifest["interval"]["end"]
    statement = render(
        "exports/hashtags.sql",
        first_day=start[:10],
        last_day=(datetime.fromisoformat(end) - timedelta(microseconds=1)).date().isoformat(),
        all_from=start,
        all_to=end,
        networks_ranked=manifest["networks"],
        all_networks=not manifest["networks"],
        include_reposts=manifest["include_reposts"],
        limit=LISTED,
    )
    rows = [
        {"hashtag": row["hashtag"], "posts": int(row["posts"] or 0), "authors": int(row["authors"] or 0)}
        for row in athena.rows(statement)
    ]
    results.s3.put_object(
        Bucket=results.bucket,
        Key=f"rankings/run={export.run}/{HASHTAGS}",
        Body=orjson.dumps({"hashtags": rows}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        ContentType="application/json",
    )
