"""`postrank-spark`: the job, and the check of its queries."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postrank_spark.errors import JobError, QueryFailed
from postrank_spark.queries import Query, milliseconds, read

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_QUERIES = click.option(
    "--queries", default="include/sql/stream", show_default=True,
    help="Folder of SQL files, one relation a file, or s3://BUCKET/PREFIX.",
)  # fmt: skip
_ONLY = click.option("--only", multiple=True, help="Run this query alone; repeat for several. Default: all of them.")


def _duration(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """Text such as `30 seconds`, as milliseconds."""
    try:
        return milliseconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def main() -> None:
    """Count windows of a Postrank stream with Spark."""


@main.command()
@click.option("--kinesis", help="Stream of posts.")
@click.option("--kafka", help="Brokers, HOST:PORT[,...], whose topic of posts is read.")
@click.option("--topic", default="posts", show_default=True, help="Topic of posts, with --kafka.")
@click.option("--log-stream", help="Stream of rows of access logs, with --kinesis.")
@click.option("--log-topic", help="Topic of rows of access logs, with --kafka.")
@click.option(
    "--kafka-option",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of Kafka's consumer; env:NAME as its value reads that environment variable.",
)
@click.option("--region", envvar="AWS_REGION", default="us-east-1", show_default=True, help="AWS region.")
@click.option("--built-in-kinesis", is_flag=True, help="Read Kinesis by the connector that Amazon EMR ships.")
@_QUERIES
@_ONLY
@click.option("--checkpoints", required=True, help="Where progress is kept: s3a://BUCKET/PREFIX or a folder.")
@click.option("--lake", help="Where final rows go as Parquet: s3a://BUCKET/PREFIX or a folder.")
@click.option(
    "--account", is_flag=True, help="With --lake: store how many lines of each partition counted, and rejects."
)
@click.option("--postgres", help="Name of the environment variable that holds the connection string of Postgres.")
@click.option("--windows-stream", help="Kinesis stream that final rows of author_windows go to.")
@click.option(
    "--late",
    callback=_duration,
    default="2 hours",
    show_default=True,
    help="How late a post may come and still count: Spark keeps the windows of that time.",
)
@click.option(
    "--lateness",
    callback=_duration,
    default="30 seconds",
    show_default=True,
    help="A window is final when event time has passed its end by this.",
)
@click.option("--trigger", type=float, default=10.0, show_default=True, help="Seconds between batches.")
@click.option("--per-batch", type=int, default=200_000, show_default=True, help="Messages of Kafka in one batch.")
@click.option("--drain", is_flag=True, help="Read what is there, close all windows, and exit.")
@click.option("--master", default="local[1]", show_default=True, help="Spark master, unless spark-submit names one.")
@click.option("--memory", default="1g", show_default=True, help="Memory of a local Spark.")
@click.option(
    "--partitions",
    type=int,
    default=1,
    show_default=True,
    help="Partitions of the windows' state. Fixed once a checkpoint exists.",
)
def run(**options: Any) -> None:
    """Count windows until stopped.

    \b
    Exit status:
      0  stopped by SIGTERM, or drained
      1  a query failed; started again, the job resumes from its checkpoint
      2  something must be changed first: the message says what
    """
    try:
        _run(options)
    except JobError as error:
        click.echo(f"postrank-spark: {error}", err=True)
        sys.exit(1 if isinstance(error, QueryFailed) else 2)


@main.command()
@_QUERIES
@_ONLY
def check(queries: str, only: tuple[str, ...]) -> None:
    """Check the queries: their columns, keys and windows. Errors name file and line."""
    from postrank_spark import checking

    try:
        selected = read(queries, only)
        checking.check(selected)
        for query in selected:
            click.echo(f"{query.file}: {query.output}, key {', '.join(query.key)}")
    except JobError as error:
        click.echo(f"postrank-spark: {error}", err=True)
        sys.exit(2)


@main.command()
@click.argument("bucket")
@click.option(
    "--queries",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("include/sql/stream"),
    show_default=True,
    help="Folder of SQL files.",
)
def release(bucket: str, queries: Path) -> None:
    """Upload the job and its queries to BUCKET; the DAG stream_windows runs the newest upload. Prints its version."""
    import boto3

    from postrank_spark.release import upload

    click.echo(upload(boto3.client("s3"), bucket, queries))


@main.command()
def java() -> None:
    """Print the home of the Java that runs Spark."""
    from postrank_spark.java import find_java_home

    try:
        click.echo(find_java_home())
    except JobError as error:
        click.echo(f"postrank-spark: {error}", err=True)
        sys.exit(2)


@main.command()
def jars() -> None:
    """Download the jars that Spark lacks (Kafka, s3a), and print their paths."""
    from postrank_spark.jars import fetched

    try:
        click.echo("\n".join(map(str, fetched())))
    except JobError as error:
        click.echo(f"postrank-spark: {error}", err=True)
        sys.exit(2)


def _run(options: dict[str, Any]) -> None:
    from postrank_spark import session
    from postrank_spark.accounting import Accounting
    from postrank_spark.job import Job, Settings

    queries = _selected(options)
    outputs = _outputs(options)
    spark = session.start(options["master"], options["memory"], options["partitions"])
    settings = Settings(
        checkpoints=options["checkpoints"].rstrip("/"),
        late_ms=options["late"],
        lateness_ms=options["lateness"],
        trigger_seconds=options["trigger"],
        drain=options["drain"],
    )
    posts, logs = _records(spark, options)
    accounting = Accounting(options["lake"].rstrip("/")) if options["account"] else None
    Job(spark, queries, outputs, settings, accounting).run(posts, logs, packed=not options["kafka"])
    spark.stop()


def _selected(options: dict[str, Any]) -> list[Query]:
    """The queries to run: without a source of logs, those of logs are left out unless they were asked for."""
    if bool(options["kinesis"]) == bool(options["kafka"]):
        raise JobError("name one source: --kinesis STREAM, or --kafka HOST:PORT")
    if not (options["lake"] or options["postgres"] or options["windows_stream"]):
        raise JobError("name where rows go: --lake, --postgres or --windows-stream")
    if options["account"] and not options["lake"]:
        raise JobError("--account stores its rows in the lake: name it with --lake")
    queries = read(options["queries"], options["only"])
    if options["log_stream"] or options["log_topic"] or options["only"]:
        return queries
    return [query for query in queries if "from logs" not in query.sql]


def _outputs(options: dict[str, Any]) -> list[Any]:
    from postrank_spark.outputs.lake import Lake
    from postrank_spark.outputs.postgres import Postgres
    from postrank_spark.outputs.window_stream import WindowStream

    outputs: list[Any] = []
    if options["postgres"]:
        outputs.append(Postgres(_variable(options["postgres"], "--postgres")))
    if options["windows_stream"]:
        outputs.append(WindowStream(options["windows_stream"], options["region"]))
    if options["lake"]:
        outputs.append(Lake(options["lake"].rstrip("/")))
    return outputs


def _variable(name: str, option: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise JobError(f"{option} names the environment variable {name}, which is not set")
    return value


def _records(spark: "SparkSession", options: dict[str, Any]) -> tuple["DataFrame", "DataFrame | None"]:
    """The records of posts, and those of logs."""
    if options["kafka"]:
        from postrank_spark.sources import kafka

        settings = _kafka_options(options["kafka_option"])
        names = (options["topic"], options["log_topic"])
        frames = [
            kafka.records(spark, options["kafka"], name, settings, per_batch=options["per_batch"]) if name else None
            for name in names
        ]
    else:
        from postrank_spark.sources import kinesis

        names = (options["kinesis"], options["log_stream"])
        built_in = options["built_in_kinesis"]
        frames = [
            kinesis.records(spark, name, options["region"], built_in=built_in) if name else None for name in names
        ]
    posts, logs = frames
    assert posts is not None  # noqa: S101 - `_selected` saw to it
    return posts, logs


def _kafka_options(pairs: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if value.startswith("env:"):
            value = _variable(value.removeprefix("env:"), f"--kafka-option {name}")
        settings[f"kafka.{name.removeprefix('kafka.')}"] = value
    return settings
