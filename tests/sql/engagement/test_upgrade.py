"""A lake that version 0.1.0 wrote goes on: new columns are null in it, views are made again."""

import json

import pyarrow as pa
from pyarrow import parquet

from postrank.aws.glue import Partition
from postrank.aws.tables import glue_tables, prefix
from postrank.laptop.provision import Provision
from tests.support.lake.ranked_lake import Lake, post

# The columns of `raw_posts` and `post_versions` in 0.1.0; all of later versions came behind them.
LAST = {"raw_posts": "source_cursor", "post_versions": "copies"}
TEXTS = ("kind", "network", "post_id", "author_id", "author_handle", "author_name", "text", "lang", "reply_to")
MORE = ("repost_of", "quote_of", "collector", "source_cursor")
LISTS = ("hashtags", "mentions", "urls", "versions")
OLD_VIEW = (
    "create or replace view posts as select network, post_id, author_id, posted_at, posted_date from post_versions"
)


def _as_in_0_1_0(lake: Lake) -> None:
    """Cut the tables back to the columns that they had, and leave the view that there was."""
    for table in glue_tables(lake.names):
        if last := LAST.get(table["Name"]):
            columns = table["StorageDescriptor"]["Columns"]
            end = [column["Name"] for column in columns].index(last) + 1
            storage = {**table["StorageDescriptor"], "Columns": columns[:end]}
            lake.client("glue").update_table(
                DatabaseName=lake.names.database, TableInput={**table, "StorageDescriptor": storage}
            )
    lake.athena.run(OLD_VIEW)
    lake.client("s3").put_object(
        Bucket=lake.names.buckets["lake"], Key="state/views.json", Body=json.dumps({"posts": "another"}).encode()
    )


def _put_old_partition(lake: Lake, hour: str, day: str, rows: list[dict]) -> None:
    """A partition of `post_versions` as 0.1.0 wrote it."""
    moments = {"posted_at": pa.timestamp("ms"), "received_at": pa.timestamp("ms")}
    schema = pa.schema(
        [(name, pa.string()) for name in (*TEXTS, *MORE)]
        + [(name, pa.list_(pa.string())) for name in LISTS]
        + [*moments.items(), ("copies", pa.int64())]
    )
    times = [
        {name: pa.scalar(row[name].removesuffix("Z")).cast(kind).as_py() for name, kind in moments.items()}
        for row in rows
    ]
    table = pa.Table.from_pylist(
        [{**row, **moment, "copies": 1} for row, moment in zip(rows, times, strict=True)], schema
    )
    out = pa.BufferOutputStream()
    parquet.write_table(table, out)
    location = f"{prefix('post_versions', lake.names)}run=old/arrival_interval={hour}/posted_date={day}/"
    key = location.split("/", 3)[3] + "part"
    lake.client("s3").put_object(Bucket=lake.names.buckets["lake"], Key=key, Body=out.getvalue().to_pybytes())
    lake.catalogue.point("post_versions", [Partition((hour, day), location)])


def test_a_lake_of_0_1_0_is_read_on_with_the_new_columns_null(lake):
    _as_in_0_1_0(lake)
    day = "2026-11-23"
    old = [post("1", "ann", f"{day}T10:00:00.000Z"), post("2", "bob", f"{day}T10:00:00.000Z", repost_of="1")]
    lake.deliver("2026-11-24T01", old)
    _put_old_partition(lake, "2026-11-24T01", day, old)
    notes = lake.ranking("notes").arrived()
    partition = lake.catalogue.partitions("post_versions")[0]
    lake.catalogue.point("post_versions", [Partition(partition.values, partition.location, notes["2026-11-24T01"])])

    Provision(lake.client, lake.names).upgrade()
    lake.deliver("2026-11-24T02", [post("3", "ann", f"{day}T10:00:01.000Z", tags=["rain"], sensitive=True)])
    lake.rank(["2026-11-24T02"])

    rows = lake.rows("select post_id, sensitive, tags, repost_of_author from posts order by post_id")
    assert [tuple(row.values()) for row in rows] == [
        ("1", None, None, None),
        ("2", None, None, None),
        ("3", "true", "[rain]", None),
    ]
    ranked = lake.rows("select author_id, posts from author_ranking where granularity = 'day' order by rank")
    assert [tuple(row.values()) for row in ranked] == [("ann", "2"), ("bob", "1")]
    interval = {"interval_start": f"{day}T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}
    received = lake.rank(**interval, metric="reposts_received")
    assert [(row["author_id"], row["posts"]) for row in lake.results.rows("all", received["run"])] == [("ann", 1)]
    Provision(lake.client, lake.names).upgrade()
    raw = lake.rows("select post_id, tags from raw_posts order by post_id")
    assert [row["tags"] for row in raw] == [None, None, "[rain]"]
