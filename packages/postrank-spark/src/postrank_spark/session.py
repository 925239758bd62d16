"""The Spark session: what spark-submit prepared, or one of this process's own with the jars it needs."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from postrank_spark.errors import JobError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.minBatchesToRetain": "10",
    # Without it a drain of a Python data source is one batch: after a kill, the one that was cut off and nothing more.
    "spark.sql.streaming.triggerAvailableNowWrapper.enabled": "true",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
}
# s3:// is EMR's own file system on EMR; elsewhere Hadoop's s3a answers for both names.
_S3A = {
    "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.change.detection.mode": "none",
    "spark.hadoop.fs.s3a.threads.max": "8",
    "spark.hadoop.fs.s3a.create.performance": "true",
    "spark.hadoop.fs.s3a.directory.marker.retention": "keep",
    "spark.hadoop.fs.s3a.aws.credentials.provider": (
        "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider,"
        "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"
    ),
}


def s3a_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Spark's settings for s3a with the endpoint that AWS_ENDPOINT_URL names, if any."""
    settings = dict(_S3A)
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    if endpoint:
        settings["spark.hadoop.fs.s3a.endpoint"] = endpoint
        settings["spark.hadoop.fs.s3a.endpoint.region"] = environment.get("AWS_REGION", "us-east-1")
        settings["spark.hadoop.fs.s3a.connection.ssl.enabled"] = str(endpoint.startswith("https")).lower()
    return settings


def is_submitted() -> bool:
    """Whether spark-submit started this process, with a session's settings of its own."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def start(master: str, memory: str, partitions: int) -> "SparkSession":
    """A session; without spark-submit one on this machine, with the jars of the cache. Raises JobError."""
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise JobError("the package pyspark is not installed: run `pip install 'postrank-spark[pyspark]'`") from error
    settings = {**_SETTINGS, "spark.sql.shuffle.partitions": str(partitions)}
    builder = SparkSession.builder.appName("postrank-windows")
    if not is_submitted():
        from postrank_spark.jars import fetched
        from postrank_spark.java import find_java_home

        os.environ["JAVA_HOME"] = str(find_java_home())
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers import this package, too
        settings["spark.driver.memory"] = memory
        settings["spark.driver.bindAddress"] = "127.0.0.1"
        settings["spark.driver.host"] = "127.0.0.1"
        settings["spark.jars"] = ",".join(str(jar) for jar in fetched())
        settings.update(s3a_settings(os.environ))
        builder = builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session
