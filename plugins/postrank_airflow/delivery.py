"""The tasks of `check_delivery`: every hop between the streamer and the lake, each failing with its numbers."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import task

from postrank.errors import Fatal, Retryable
from postrank.heartbeat import Heartbeat, read_heartbeat
from postrank_airflow import clients, delivered
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
def require_no_errors() -> str:
    """Nothing was written to the error prefixes today or yesterday."""
    s3, today = clients.client("s3"), datetime.now(UTC).date()
    days = [f"dt={day.isoformat()}/" for day in (today, today - timedelta(days=1))]
    counted = {}
    for kind, where in RESOURCES.delivery.items():
        root = where.error_prefix.split("!{")[0]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=RESOURCES.buckets["raw"], Prefix=root)
        found = [one for page in pages for one in page.get("Contents", ()) if any(day in one["Key"] for day in days)]
        counted[kind] = len(found)
        if found:
            raise HopBroken(f"hop Firehose: {len(found)} error objects of {kind}, the newest {found[-1]['Key']}")
    return "no error objects"


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
