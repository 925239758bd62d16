"""Data Firehose: buffers records by size and interval and delivers them to S3 as objects, at least once."""

from pathlib import Path

from localaws.core.cloud import Cloud, Service
from localaws.services.firehose.service import FirehoseService


def create(cloud: Cloud, functions: Path | None = None) -> Service:
    """The Firehose service of `cloud`; its state is below `cloud.state / "firehose"`. Lambda processors run what the
    folder `functions` holds.
    """
    return FirehoseService(cloud, functions)
