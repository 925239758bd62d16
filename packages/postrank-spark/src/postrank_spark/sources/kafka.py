"""Kafka topics as records."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def records(
    spark: "SparkSession", servers: str, topic: str, options: Mapping[str, str], *, per_batch: int
) -> "DataFrame":
    """Columns `partition`, `position` (offset), `arrived_at`, `data`, from the earliest offset on.

    `options` are those of Kafka's consumer ("kafka.security.protocol" and so on). A topic that lost records before they
    were read ends the query.
    """
    reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", topic)
    reader = reader.option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", per_batch)
    return (
        reader.options(**options)
        .load()
        .selectExpr(
            "concat(topic, '-', partition) as partition",
            "cast(offset as string) as position",
            "timestamp as arrived_at",
            "value as data",
        )
    )
