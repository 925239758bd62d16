"""Data Firehose: buffers records by size and interval and delivers them to S3 as objects, at least once."""

from localaws.firehose.service import FirehoseService
from localaws.service import Cloud, Service


def create(cloud: Cloud) -> Service:
    """The Firehose service of `cloud`; its state is below `cloud.state / "firehose"`."""
    return FirehoseService(cloud)
