"""What stops a ranking before anybody reads it: a query that scans too much, arrivals that are mostly unusable."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from localaws.testing.patience import patient
from postrank.aws.glue import Catalogue, Partition
from tests.dags.conftest import NAMES
from tests.support.lake.ranked_lake import post

pytestmark = pytest.mark.timeout(patient(180))

_LEAST_LIMIT = 10_000_000  # bytes (Amazon Athena API, "WorkGroupConfiguration")


@pytest.fixture
def arriving(aws, deliver):
    """Delivers events in an arrival hour, which is gone after the test."""
    catalogue, s3, raw = Catalogue(aws.client("glue"), NAMES.database), aws.client("s3"), NAMES.buckets["raw"]
    made: list[tuple[str, str]] = []

    def arrive(hour: str, events: list[dict[str, Any]]) -> None:
        deliver(hour, events, "guarded")
        made.append((hour[:10], hour[11:]))
        folder = f"raw/posts/dt={hour[:10]}/hour={hour[11:]}/"
        catalogue.point("raw_posts", [Partition(made[-1], f"s3://{raw}/{folder}")])

    yield arrive
    catalogue.forget("raw_posts", made)
    for dt, hour in made:
        s3.delete_object(Bucket=raw, Key=f"raw/posts/dt={dt}/hour={hour}/guarded.ndjson.gz")


def newest(aws) -> Any:
    found = aws.client("s3").list_objects_v2(Bucket=NAMES.buckets["results"], Prefix="rankings/latest.json")
    return [(one["Key"], one["ETag"]) for one in found.get("Contents", [])]


@contextmanager
def scan_limit(aws, limit: int) -> Iterator[None]:
    athena = aws.client("athena")
    for_now = {"BytesScannedCutoffPerQuery": limit}
    athena.update_work_group(WorkGroup=NAMES.workgroup, ConfigurationUpdates=for_now)
    yield
    usual = {"BytesScannedCutoffPerQuery": NAMES.scan_limit_bytes}
    athena.update_work_group(WorkGroup=NAMES.workgroup, ConfigurationUpdates=usual)


def test_a_query_that_passes_the_scan_budget_ends_the_run_and_the_old_answer_stays(aws, arriving, run_dag):
    words, before = random.Random(1), newest(aws)
    wide = [post(f"w{n}", "ann", "2026-11-20T10:00:00.000Z", text=words.randbytes(6000).hex()) for n in range(2000)]
    arriving("2026-11-25T03", wide)
    with scan_limit(aws, _LEAST_LIMIT):
        outcome = run_dag("rank_authors", interval_start=None, interval_end=None)
    assert (outcome.state, outcome.tasks["arrivals"]) == ("failed", "failed")
    assert newest(aws) == before
    executions = aws.client("athena").list_query_executions(WorkGroup=NAMES.workgroup)["QueryExecutionIds"]
    last = aws.client("athena").get_query_execution(QueryExecutionId=executions[0])["QueryExecution"]["Status"]
    assert (last["State"], last["StateChangeReason"]) == ("CANCELLED", "Bytes scanned limit was exceeded")


def test_arrivals_that_are_unusable_end_the_run_and_the_old_answer_stays(aws, arriving, run_dag):
    before = newest(aws)
    usable = [post(f"u{n}", "ann", "2026-11-20T10:00:00.000Z") for n in range(50)]
    arriving("2026-11-25T04", [*usable, {"kind": "post", "network": "x"}, {"nothing": "of use"}])
    outcome = run_dag("rank_authors", interval_start=None, interval_end=None)
    assert (outcome.state, outcome.tasks["survey_arrivals"]) == ("failed", "failed")
    assert newest(aws) == before
