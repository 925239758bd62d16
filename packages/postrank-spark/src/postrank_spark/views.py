"""The streaming views that queries select from: records become lines, lines become typed rows, each counted once."""

from typing import TYPE_CHECKING

from postrank_spark.unpacking import text_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Fields of the data contract that queries may use; `_corrupt` holds a line that is no JSON object.
POSTS = """
    kind string, network string, post_id string, author_id string, author_handle string, author_name string,
    posted_at string, text string, lang string, hashtags array<string>, mentions array<string>, urls array<string>,
    reply_to string, repost_of string, quote_of string, reply_to_author string, repost_of_author string,
    quote_of_author string, conversation_id string, place string, source_app string, sensitive boolean,
    tags array<string>, received_at string, collector string, source_cursor string, _corrupt string
"""
LOGS = """
    kind string, host string, user string, method string, path string, status int, bytes bigint, referrer string,
    agent string, posted_at string, received_at string, collector string, source_cursor string, _corrupt string
"""
# Kinds of lines that are no posts; they are counted as ignored.
OTHER_KINDS = ("delete", "like", "metrics", "log")
_COUNTED = ("post", "edit", "repost")
_AHEAD = "5 minutes"  # a post dated further ahead of its arrival would close every window before it


def lines_of(records: "DataFrame", *, packed: bool) -> "DataFrame":
    """Columns `partition`, `position`, `arrived_at`, `line`; `packed`: records may be gzip members."""
    from pyspark.sql import functions as f

    data = f.udf(text_of, "binary", useArrow=False)(f.col("data")) if packed else f.col("data")
    text = f.coalesce(data, f.lit("broken gzip record").cast("binary")).cast("string")
    line = f.explode(f.split(text, "\n"))
    return records.select("partition", "position", "arrived_at", line.alias("line")).where("trim(line) <> ''")


def posts_read(lines: "DataFrame") -> "DataFrame":
    """The lines with the contract's fields, `posted_at` as a timestamp, and `reason`: why a line is no post.

    `reason` is null for what counts, `kind: <kind>` for lines of another kind, and else tells what is wrong.
    """
    from pyspark.sql import functions as f

    event = f.from_json("line", POSTS, {"columnNameOfCorruptRecord": "_corrupt"})
    rows = lines.withColumn("event", event).select("partition", "position", "arrived_at", "line", "event.*")
    rows = rows.withColumn("posted_at", f.expr("try_to_timestamp(posted_at)"))
    return rows.withColumn("reason", f.expr(_reason_sql()))


def _reason_sql() -> str:
    others = ", ".join(f"'{kind}'" for kind in OTHER_KINDS)
    counted = ", ".join(f"'{kind}'" for kind in _COUNTED)
    return f"""
        case
            when _corrupt is not null or kind is null then 'no JSON object of the data contract'
            when kind in ({others}) then concat('kind: ', kind)
            when kind not in ({counted}) then concat('unknown kind ', kind)
            when network is null or post_id is null or author_id is null then 'network, post_id or author_id is missing'
            when posted_at is null then 'posted_at is missing or no RFC 3339 time'
            when posted_at > arrived_at + interval '{_AHEAD}' then 'posted_at is more than {_AHEAD} ahead'
        end
    """


def posts(lines: "DataFrame", late: str) -> "DataFrame":
    """The view `posts`: each (network, post_id) once, the first that comes, unless it is later than `late`."""
    rows = posts_read(lines).where("reason is null").drop("reason", "line", "_corrupt", "position", "partition")
    return rows.withWatermark("posted_at", late).dropDuplicatesWithinWatermark(["network", "post_id"])


def logs(lines: "DataFrame", late: str) -> "DataFrame":
    """The view `logs`: rows of access logs, each line of a source once."""
    from pyspark.sql import functions as f

    event = f.from_json("line", LOGS, {"columnNameOfCorruptRecord": "_corrupt"})
    rows = lines.withColumn("event", event).select("arrived_at", "event.*")
    rows = rows.withColumn("logged_at", f.expr("try_to_timestamp(posted_at)"))
    rows = rows.where(f"kind = 'log' and logged_at is not null and logged_at <= arrived_at + interval '{_AHEAD}'")
    return rows.drop("_corrupt", "posted_at").withWatermark("logged_at", late)
