"""Moments as botocore's models carry them."""

from datetime import UTC, datetime


def utc(seconds: float) -> datetime:
    """The moment so many seconds after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
