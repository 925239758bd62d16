"""Kinesis Data Streams: shards, sequence numbers and limits as AWS has them, records kept in SQLite."""

from localaws.kinesis.service import KinesisService
from localaws.service import Cloud, Service


def create(cloud: Cloud) -> Service:
    """The Kinesis service of `cloud`; its state is below `cloud.state / "kinesis"`."""
    return KinesisService(cloud)
