"""`maintain_lake`, run for real: with few deleted posts by itself, with many after a human's word."""

import base64
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.patience import patient
from postrank.aws.glue import Partition
from postrank.ranking.lease import PREFIX
from tests.dags.conftest import NAMES
from tests.support.lake.ranked_lake import Lake, delete, post

ROOT = Path(__file__).resolve().parents[2]
HOUR = "2026-11-22T01"
INTERVAL = {"interval_start": "2026-11-21T10:00:00Z", "interval_end": "2026-11-21T12:00:00Z"}


@pytest.fixture
def deleted(aws, deliver):
    """A ranked hour with two posts, one of them deleted; returns the name of the deleted one."""
    number = f"{time.monotonic_ns()}"
    events = [
        post(number, "ann", "2026-11-21T10:00:00.000Z", text=f"the words of {number}"),
        post("kept", "bob", "2026-11-21T10:00:00.000Z"),
        delete(number),
    ]
    deliver(HOUR, events, name=number)
    lake = Lake(aws.client, NAMES)
    lake.catalogue.forget("post_versions", [one.values for one in lake.catalogue.partitions("post_versions")])
    location = f"s3://{NAMES.buckets['raw']}/raw/posts/dt={HOUR[:10]}/hour={HOUR[11:]}/"
    lake.catalogue.point("raw_posts", [Partition((HOUR[:10], HOUR[11:]), location)])
    _release_leases(aws)
    lake.rank(run_id=number, **INTERVAL)
    return number


def _release_leases(aws: Any) -> None:
    """Free what a failed run of another test holds: there is no scheduler here that says that it is over."""
    bucket = NAMES.buckets["lake"]
    for entry in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", ()):
        aws.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])


@pytest.fixture
def answer():
    """Answers what a run asks of a human, as the page Required Actions does."""
    begun = []

    def begin(choice: str) -> None:
        begun.append(subprocess.Popen([sys.executable, "-m", "tests.support.stack.hitl_responder", choice], cwd=ROOT))

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def _raw(aws, name: str) -> list[dict]:
    key = f"raw/posts/dt={HOUR[:10]}/hour={HOUR[11:]}/{name}.ndjson.gz"
    body = aws.client("s3").get_object(Bucket=NAMES.buckets["raw"], Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


@pytest.fixture
def undelivered(aws, deleted):
    """The deleted post in an undelivered record, in a broken line and as original JSON; returns how to read them."""
    s3, line = aws.client("s3"), json.dumps(post(deleted, "ann", "2026-11-21T10:00:00.000Z", text="words"))
    record = {"errorCode": "Lambda.FunctionError", "rawData": base64.b64encode(f"{line}\n".encode()).decode()}
    reject = {"reason": "cut off", "offset": 0, "line": line[:-1], "line_encoding": "utf-8"}
    original = {"kind": "raw", "network": "x", "post_id": deleted, "author_id": "ann", "json": line}
    rows = {
        f"errors/posts/processing-failed/dt=2026-11-22/hour=01/{deleted}": record,
        f"ledgers/rejects/dt=2026-11-22/{deleted}.ndjson": reject,
        f"raw/json/dt=2026-11-22/{deleted}.ndjson": original,
    }
    for key, row in rows.items():
        s3.put_object(Bucket=NAMES.buckets["raw"], Key=key, Body=json.dumps(row).encode() + b"\n")

    def read() -> list[dict]:
        bodies = [s3.get_object(Bucket=NAMES.buckets["raw"], Key=key)["Body"].read() for key in rows]
        return [json.loads(body) for body in bodies]

    yield read
    for key in rows:
        s3.delete_object(Bucket=NAMES.buckets["raw"], Key=key)


def test_deleted_posts_are_taken_out_with_evidence_and_the_rest_of_the_care_is_done(deleted, undelivered, run_dag, aws):
    run = run_dag("maintain_lake", compare_days=["2020-01-01"], approved_posts=10)
    assert run.state == "success"
    assert run.returned("redact_undelivered") == "3 objects of error records, rejects and original JSON redacted"
    record, reject, original = undelivered()
    assert (original["kind"], "json" in original) == ("redacted_raw", False)
    assert json.loads(base64.b64decode(record["rawData"]))["kind"] == "redacted_post"
    assert "line" not in reject
    assert run.tasks["approve_redaction"] == "skipped"
    assert [line["kind"] for line in _raw(aws, deleted)] == ["redacted_post", "post", "delete"]
    bucket, key = run.returned("finish_redaction").removeprefix("s3://").split("/", 1)
    evidence = json.loads(aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert (evidence["posts"], evidence["raw_lines"]) == (1, 1)
    done = ("delete_leftovers", "expire_objects", "plan_compaction", "plan_settling")
    assert {run.tasks[task] for task in done} == {"success"}
    again = run_dag("maintain_lake", compare_days=["2020-01-01"])
    assert again.state == "success"
    assert (again.tasks["plan_redaction"], again.tasks["delete_leftovers"]) == ("skipped", "success")


@pytest.mark.timeout(patient(600))
def test_many_deleted_posts_wait_for_a_human_whose_no_leaves_them_and_whose_yes_is_in_the_evidence(
    deleted, run_dag, aws, answer
):
    answer("Reject")
    rejected = run_dag("maintain_lake", compare_days=["2020-01-01"], approved_posts=0)
    assert rejected.state == "success"
    assert (rejected.tasks["begin_redaction"], rejected.tasks["delete_leftovers"]) == ("skipped", "success")
    assert [line["kind"] for line in _raw(aws, deleted)] == ["post", "post", "delete"]
    answer("Approve")
    approved = run_dag("maintain_lake", compare_days=["2020-01-01"], approved_posts=0)
    assert approved.state == "success"
    assert [line["kind"] for line in _raw(aws, deleted)] == ["redacted_post", "post", "delete"]
    bucket, key = approved.returned("finish_redaction").removeprefix("s3://").split("/", 1)
    evidence = json.loads(aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert evidence["approved_by"] == "a human"
