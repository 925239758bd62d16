"""The tasks of `check_delivery`: every hop between the streamer and the lake, each failing with its numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Param, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.delivery import account as accounts
from postrank.delivery import metrics
from postrank.delivery.conservation import (
    NotConserved,
    account_of_originals,
    balance_of_delivery,
    balance_of_streamer,
    sample_of,
)
from postrank.delivery.error_records import ErrorRecords, describe
from postrank.delivery.lines import DeliveredLines
from postrank.delivery.window_check import Comparison
from postrank.documents import Document
from postrank.errors import Fatal, Retryable
from postrank.heartbeat import Heartbeat, read_heartbeat
from postrank.sinks.kinesis import KinesisSink
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.run_note import add_to_note, reason_in_note, result_in_note
from postrank_airflow.dag.wiring import COLLECTOR_LABEL
from postrank_airflow.tasks.collectors import named

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient

PARAMS = {
    "put_back_records": Param(
        0,
        type="integer",
        minimum=0,
        maximum=100_000,
        title="Records to put back",
        description="How many undelivered Firehose records of today and yesterday to put back on their streams, oldest "
        "first. Records that were put back are marked and not put back again.",
        examples=[0, 1000],
    ),
}
SLACK = timedelta(minutes=5)  # beside Firehose's own buffering


class DeliveryStalled(Retryable):
    """Lines are acknowledged, but no object has been written for too long."""

    def __init__(self, newest: datetime | None, last_ack: datetime, limit: timedelta) -> None:
        seen = f"is from {newest:%Y-%m-%dT%H:%M:%SZ}" if newest else "does not exist"
        super().__init__(
            f"newest S3 object {seen}, last line acknowledged at {last_ack:%Y-%m-%dT%H:%M:%SZ}: more than {limit} apart"
        )
        self.newest = newest
        self.limit = limit


class HopBroken(Fatal):
    """A delivery stream is not active, or has written errors."""


@task
@reason_in_note
def require_active() -> str:
    """Check that every delivery stream is ACTIVE (Firehose API, `DeliveryStreamStatus`)."""
    firehose = clients.client("firehose")
    states = {name: _state(firehose, name) for name in RESOURCES.delivery_streams.values()}
    listing = ", ".join(f"{name} is {state}" for name, state in states.items())
    if set(states.values()) != {"ACTIVE"}:
        raise HopBroken(f"hop Firehose: {listing}")
    return listing


@task
@reason_in_note
def count_lines(collectors: list[str]) -> list[Document]:
    """Count the lines in the raw zone by the collector that wrote them. Returns what is to be held to account."""
    s3 = clients.client("s3")
    bucket = RESOURCES.buckets["lake"]
    counted = accounts.load_delivered(s3, bucket)
    raw = RESOURCES.buckets["raw"]
    delivered = DeliveredLines(s3, raw, _root("posts"), counted.hours, collectors=collectors, expired=counted.expired)
    delivered.update()
    accounts.save_delivered(s3, bucket, delivered)
    newest = delivered.newest.isoformat() if delivered.newest else None
    return [{"collector": name, "lines": delivered.lines_of(name), "newest": newest} for name in collectors]


_CONSERVATION = "received = delivered + spooled + rejected; acknowledged = in the lake + in transit"


@task(map_index_template=COLLECTOR_LABEL, doc_md=f"Check the conservation of each collector: {_CONSERVATION}.")
@reason_in_note
def require_conservation(counted: Document) -> str:
    """Check a collector's conservation. Raises NotConserved, DeliveryStalled."""
    s3 = clients.client("s3")
    now = datetime.now(UTC)
    name = counted["collector"]
    beat = read_heartbeat(s3, RESOURCES.buckets["raw"], RESOURCES.of_collector(name).keys["heartbeat"])
    with _naming(name):
        balance = balance_of_streamer(beat.counts)
        bucket = RESOURCES.buckets["lake"]
        account = accounts.load_account(s3, bucket, name)
        account.add(sample_of(beat), counted["lines"])
        accounts.save_account(s3, bucket, name, account)
        transit = _transit()
        newest = datetime.fromisoformat(counted["newest"]) if counted["newest"] else None
        _require_fresh(newest, beat, transit)
        delivery = balance_of_delivery(account.samples, counted["lines"] - account.base, now, transit)
    parts = [delivery, account_of_originals(beat.counts), beat.configuration_text()]
    add_to_note(named(name, "; ".join(filter(None, parts))))
    return "; ".join(filter(None, [balance, *parts]))


@task
@reason_in_note
def require_movement() -> str:
    """Check Firehose's metrics: oldest undelivered record, failed deliveries, throttling, iterator age."""
    limits = metrics.limits(RESOURCES)
    figures = list(zip(limits, metrics.newest(clients.client("cloudwatch"), limits), strict=True))
    broken = [limit.describe(value) for limit, value in figures if value is not None and limit.broken(value)]
    if broken:
        raise HopBroken(f"hop Firehose: {'; '.join(broken)}")
    return "; ".join(limit.describe(value) for limit, value in figures)


@task
def put_errors_back() -> str:
    """Put undelivered records back on their streams, at most as many as requested."""
    most = run_context().params["put_back_records"]
    done = 0
    if not most:
        raise AirflowSkipException("not requested: see the param put_back_records")
    sink = KinesisSink(clients.client("kinesis"), RESOURCES.streams)
    for records in _error_records():
        for failed in records.of_days(_days()):
            done += records.put_back(failed, sink, most - done)
    sentence = f"{done} records put back on their streams"
    add_to_note(sentence)
    return sentence


@task(trigger_rule="none_failed")
@reason_in_note
def require_no_errors() -> str:
    """Check that the error prefixes of today and yesterday hold only records that were put back."""
    unresolved = {
        records.kind: [record for record in records.of_days(_days()) if record.left] for records in _error_records()
    }
    if any(unresolved.values()):
        raise HopBroken(
            f"hop Firehose: {'; '.join(describe(kind, failed) for kind, failed in unresolved.items() if failed)}"
        )
    return "no undelivered record is below the error prefixes"


@task
@result_in_note
def require_equal_windows(collectors: list[str]) -> str:
    """Check that the stream's minutes equal the lake's for every hour that has closed since the last check."""
    comparison = Comparison(
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        render=render,
        collectors=collectors,
    )
    return comparison.hold_new(datetime.now(UTC))


def _state(firehose: "FirehoseClient", name: str) -> str:
    try:
        described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    except firehose.exceptions.ResourceNotFoundException:
        return "missing"
    return str(described["DeliveryStreamStatus"])


def _error_records() -> list[ErrorRecords]:
    buckets = RESOURCES.buckets
    s3 = clients.client("s3")
    return [
        ErrorRecords(s3, kind, buckets["raw"], buckets["lake"], where.error_prefix.split("!{")[0])
        for kind, where in RESOURCES.delivery.items()
    ]


def _days() -> list[date]:
    today = datetime.now(UTC).date()
    return [today - timedelta(days=1), today]


@contextmanager
def _naming(collector: str) -> Iterator[None]:
    """Have the message of what fails say whose it is."""
    try:
        yield
    except (DeliveryStalled, NotConserved) as error:
        error.args = (named(collector, str(error)),)
        raise


def _require_fresh(newest: datetime | None, beat: Heartbeat, limit: timedelta) -> None:
    if beat.last_ack is None:
        return
    last_ack = datetime.fromisoformat(beat.last_ack)
    waiting = datetime.now(UTC) - last_ack > limit  # long enough for the last line to have arrived
    if waiting and (newest is None or last_ack - newest > limit):
        raise DeliveryStalled(newest, last_ack, limit)


def _transit() -> timedelta:
    return timedelta(seconds=RESOURCES.buffer_seconds) + SLACK


def _root(kind: str) -> str:
    """The fixed beginning of a delivery prefix: `raw/posts/`."""
    return RESOURCES.delivery[kind].prefix.split("dt=")[0]
