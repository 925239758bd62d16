"""The check of query files without a source: the views stand over streams that never bring a row."""

from collections.abc import Sequence

from postrank_spark import session
from postrank_spark.job import Job, Settings
from postrank_spark.queries import Query, each


def check(queries: Sequence[Query]) -> None:
    """Raises QueryErrors for the queries that cannot run."""
    spark = session.start("local[1]", "512m", 1)
    try:
        records = (
            spark.readStream.format("rate")
            .load()
            .selectExpr("'' as partition", "'' as position", "timestamp as arrived_at", "cast('' as binary) as data")
        )
        settings = Settings(checkpoints="", late_ms=1000, lateness_ms=0, trigger_seconds=1.0, drain=True)
        Job(spark, queries, [], settings).register(records, records, packed=False)
        each(queries, lambda query: query.frame(spark))
    finally:
        spark.stop()
