"""The tasks of `check_delivery`: every hop between the streamer and the lake, each failing with its numbers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import task

from postrank.errors import Fatal, Retryable
from postrank.heartbeat import Heartbeat, read_heartbeat
from postrank_airflow import clients, delivered, metrics
from postrank_airflow.conservation import balance_of_delivery, balance_of_streamer, sample_of
from postrank_airflow.names import RESOURCES

SLACK = timedelta(minutes=5)  # beside Firehose's own buffering


class DeliveryStalled(Retryable):
    """Lines are acknowledged, but no object has been written for too long."""

    def __init__(self, newest: datetime | None, last_ack: datetime, limit: timedelta) -> None:
        seen = f"is from {newest:%Y-%m-%dT%H:%M:%SZ}" if newest else "does not exist"
        super().__init__(
            f"newest S3 object {seen}, the last line was acknowledged at {last_ack:%Y-%m-%dT%H:%M:%SZ}: over {limit}"
        )
        self.newest, self.limit = newest, limit


class HopBroken(Fatal):
    """A delivery stream is not at work, or has written errors."""


@task
def require_active() -> str:
    """Every delivery stream is ACTIVE (Firehose API, `DeliveryStreamStatus`)."""
    firehose = clients.client("firehose")
    states = {}
    for name in RESOURCES.delivery_streams.values():
        described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        states[name] = described["DeliveryStreamStatus"]
    told = ", ".join(f"{name} is {state}" for name, state in states.items())
    if set(states.values()) != {"ACTIVE"}:
        raise HopBroken(f"hop Firehose: {told}")
    return told


@task
def require_conservation() -> str:
    """received = delivered + spooled + rejected in the streamer; acknowledged = in the lake + under way behind it."""
    s3, now, beat = clients.client("s3"), datetime.now(UTC), _heartbeat()
    told = balance_of_streamer(beat.counts)
    bucket = RESOURCES.buckets["lake"]
    account = delivered.load(s3, bucket)
    hours, newest = delivered.count(s3, RESOURCES.buckets["raw"], _root("posts"), account.hours if account else {})
    if account is None or account.collector != beat.collector:
        account = delivered.Account(beat.collector, account.lines + account.base if account else 0, {}, [])
    account.hours = hours
    account.add(sample_of(beat))
    delivered.save(s3, bucket, account)
    transit = _transit()
    _require_fresh(newest, beat, transit)
    return f"{told}; {balance_of_delivery(account.samples, account.lines, now, transit)}"


@task
def require_movement() -> str:
    """CloudWatch's figures: the oldest undelivered record, refused deliveries, throttling, readers that are behind."""
    wanted = metrics.limits()
    figures = list(zip(wanted, metrics.newest(clients.client("cloudwatch"), wanted), strict=True))
    broken = [one.told(value) for one, value in figures if value is not None and one.broken(value)]
    if broken:
        raise HopBroken(f"hop Firehose: {'; '.join(broken)}")
    return "; ".join(one.told(value) for one, value in figures)


@task
def require_no_errors() -> str:
    """Nothing was written to the error prefixes today or yesterday; else their number, and what the newest says."""
    s3, today = clients.client("s3"), datetime.now(UTC).date()
    days = [f"dt={day.isoformat()}/" for day in (today, today - timedelta(days=1))]
    for kind, where in RESOURCES.delivery.items():
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=RESOURCES.buckets["raw"], Prefix=where.error_prefix.split("!{")[0]
        )
        found = [one for page in pages for one in page.get("Contents", ()) if any(day in one["Key"] for day in days)]
        if found:
            newest = max(found, key=lambda one: one["LastModified"])["Key"]
            raise HopBroken(f"hop Firehose: {len(found)} error objects of {kind}; {newest}: {_sample(s3, newest)}")
    return "no error objects"


def _sample(s3: Any, key: str) -> str:
    """The first record of an error object, without the data that failed ("Data Firehose error output")."""
    first = s3.get_object(Bucket=RESOURCES.buckets["raw"], Key=key)["Body"].read().split(b"\n", 1)[0]
    record = json.loads(first)
    return f"{record.get('errorCode')}: {record.get('errorMessage')} after {record.get('attemptsMade')} attempts"


def _require_fresh(newest: datetime | None, beat: Heartbeat, limit: timedelta) -> None:
    if beat.last_ack is None:
        return
    last_ack = datetime.fromisoformat(beat.last_ack)
    waiting = datetime.now(UTC) - last_ack > limit  # long enough for the last line to have arrived
    if waiting and (newest is None or last_ack - newest > limit):
        raise DeliveryStalled(newest, last_ack, limit)


def _heartbeat() -> Heartbeat:
    return read_heartbeat(clients.client("s3"), RESOURCES.buckets["raw"], RESOURCES.keys["heartbeat"])


def _transit() -> timedelta:
    return timedelta(seconds=RESOURCES.buffer_seconds) + SLACK


def _root(kind: str) -> str:
    """The fixed beginning of a delivery prefix: `raw/posts/`."""
    return RESOURCES.delivery[kind].prefix.split("dt=")[0]
