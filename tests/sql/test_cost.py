"""What an hour costs does not grow with what lies behind it: bytes that Athena scans, over every statement of a run."""

import gzip
import itertools
import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from localaws.testing.patience import patient
from postrank.aws.glue import Partition
from postrank.aws.tables import prefix
from tests.support.lake.ranked_lake import Lake, post

pytestmark = pytest.mark.timeout(patient(180))

TODAY = date(2026, 11, 24)
AUTHORS, POSTS = 10, 40  # of each day of history, and of the new hour
MOST = 1.2  # times the cost with a month of history


def _posts(day: date, number: int, first_minute: int, minutes: int) -> list[dict[str, Any]]:
    """Posts of a day, spread evenly over some of its minutes; the ids are the day's own."""
    found = []
    for n in range(number):
        hour, minute = divmod(first_minute + n * minutes // number, 60)
        at = f"{day}T{hour:02}:{minute:02}:{n % 60:02}.000Z"
        found.append(post(f"{day:%Y%m%d}{first_minute:04}{n:06}", f"author{n % AUTHORS}", at, hashtags=["tag"]))
    return found


def remember(lake: Lake, days: int, before: date = TODAY, hours: Sequence[int] = (23,)) -> None:
    """Let that many days before one lie in the lake, ranked, an equal part of each arrived in each of these hours."""
    s3, partitions, minutes = lake.client("s3"), [], 24 * 60 // len(hours)
    for back, (n, hour) in itertools.product(range(days, 0, -1), enumerate(hours)):
        day = before - timedelta(days=back)
        location = f"{prefix('raw_posts', lake.names)}dt={day}/hour={hour:02}/"
        lines = "".join(json.dumps(event) + "\n" for event in _posts(day, POSTS, n * minutes, minutes))
        key = location.split("/", 3)[3] + "object.ndjson.gz"
        s3.put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=gzip.compress(lines.encode()))
        partitions.append(Partition((str(day), f"{hour:02}"), location))
    lake.catalogue.point("raw_posts", partitions)
    lake.rank()


def _statements(lake: Lake) -> dict[str, int]:
    """The bytes that every statement so far scanned, by query id."""
    athena = lake.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=lake.names.workgroup)
    ids = [one for page in pages for one in page["QueryExecutionIds"]]
    found = [
        execution
        for n in range(0, len(ids), 50)  # "BatchGetQueryExecution": at most 50
        for execution in athena.batch_get_query_execution(QueryExecutionIds=ids[n : n + 50])["QueryExecutions"]
    ]
    return {one["QueryExecutionId"]: one["Statistics"]["DataScannedInBytes"] for one in found}


def cost(lake: Lake, hour: int, extra: Sequence[dict[str, Any]] = ()) -> tuple[int, float]:
    """Bytes and seconds to rank what arrived in an hour of today, with every check, survey and export of the run."""
    name = f"{TODAY}T{hour:02}"
    lake.deliver(name, [*_posts(TODAY, POSTS, hour * 60 - 60, 60), *extra])
    before, started = _statements(lake).keys(), time.monotonic()
    assert lake.rank([name])
    seconds = time.monotonic() - started
    scanned = {query: size for query, size in _statements(lake).items() if query not in before}
    assert len(scanned) > len(lake.scanned)
    print(f"{lake.names.workgroup} {name}: {sum(scanned.values())} bytes, {seconds:.1f} s, {lake.scanned}")
    return sum(scanned.values()), seconds


def test_an_hour_costs_the_same_with_a_month_and_with_a_year_behind_it(new_lake):
    """A post or a correction looks for other versions of its post among the arrivals of 30 days, however many more
    there are.
    """
    month = new_lake()
    year = new_lake()
    remember(month, 31)
    remember(year, 365)
    assert cost(year, 11)[0] <= MOST * cost(month, 11)[0]
    yesterday = _posts(TODAY - timedelta(days=1), 1, 0, 1)[0]
    edit = {**yesterday, "kind": "edit", "received_at": f"{TODAY}T11:30:00.000Z"}
    assert cost(year, 12, [edit])[0] <= MOST * cost(month, 12, [edit])[0]
