"""Kinesis streams as records: by EMR's built-in connector, or by the Python data source of `shards`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_EMR_FORMAT = "aws-kinesis"  # "Amazon Kinesis connector", Amazon EMR Release Guide


def records(spark: "SparkSession", stream: str, region: str, *, built_in: bool) -> "DataFrame":
    """Columns `partition`, `position` (sequence number), `arrived_at`, `data`, from the oldest record on."""
    if built_in:
        reader = spark.readStream.format(_EMR_FORMAT).option("kinesis.streamName", stream)
        reader = reader.option("kinesis.region", region).option("kinesis.consumerType", "GetRecords")
        reader = reader.option("kinesis.endpointUrl", f"https://kinesis.{region}.amazonaws.com")
        return (
            reader.option("kinesis.startingposition", "TRIM_HORIZON")
            .load()
            .selectExpr(
                "partitionKey as partition",
                "sequenceNumber as position",
                "approximateArrivalTimestamp as arrived_at",
                "data",
            )
        )
    from postrank_spark.sources.shards import FORMAT, KinesisSource  # Spark 3.5, which EMR 7 has, lacks what it needs

    spark.dataSource.register(KinesisSource)
    return spark.readStream.format(FORMAT).option("stream", stream).option("region", region).load()
