"""Kinesis Data Streams: shards, sequence numbers and limits as AWS has them, records kept in SQLite."""

from localaws.core.cloud import Cloud, Service
from localaws.services.kinesis.service import KinesisService


def create(cloud: Cloud) -> Service:
    """The Kinesis service of `cloud`; its state is below `cloud.state / "kinesis"`."""
    return KinesisService(cloud)
