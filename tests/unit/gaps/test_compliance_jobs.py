"""Compliance jobs of X: ids are uploaded, results fetched, and posts that must go become tombstones with evidence."""

import json
import threading
from pathlib import Path

import pytest

from postrank.options import Secret
from postrank.sources.x.api import Api
from postrank.sources.x.lookups.compliance_jobs import ComplianceJobs, JobLost
from tests.support.fakes.aws import aws_server
from tests.support.fakes.x import TOKEN, FakeX, fake_x
from tests.support.streaming.streamers import ledger
from tests.unit.gaps.test_backfill_files import backfill, configured, ids_file

GONE = {"7": "deleted", "9": "deleted"}


def jobs(x: FakeX) -> ComplianceJobs:
    return ComplianceJobs(api=Api(Secret(TOKEN), x.url), longest_poll=0.01)


def test_deleted_posts_become_tombstones_and_the_ledger_names_the_job(tmp_path: Path) -> None:
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    account["POSTRANK_ACCOUNT"] = "123456789012"
    other = json.dumps({"id": "3", "action": "scrub_geo", "reason": "scrub_geo"})
    with fake_x(gone=GONE, results=[other, "{cut"]) as x, aws_server() as aws:
        words = (
            "--source",
            "x-compliance",
            "--config",
            configured(tmp_path, x),
            "--file",
            ids_file(tmp_path, range(12)),
        )
        done = backfill(*words, AWS_ENDPOINT_URL=aws.url, **account)
        assert done.returncode == 0, done.stderr
        assert x.uploads == {"1000": [str(number) for number in range(12)]}
        assert x.leaked == 0
        lines = aws.lines("-posts")
        assert {(line["kind"], line["network"], line["post_id"]) for line in lines} == {
            ("delete", "x", "7"),
            ("delete", "x", "9"),
        }
        (notice,) = [row for row in ledger(aws, "notices") if row["kind"] == "compliance_job"]
        assert notice["about"].startswith("job 1000: 12 ids (sha256 ")
        assert notice["about"].endswith("2 deleted")
        summary = json.loads(done.stdout)
    assert (summary["delivered"], summary["ignored"], summary["rejected"]) == (2, 1, 1)
    assert x.paid == {}
    for secret in (TOKEN, "signature"):
        assert secret not in done.stdout + done.stderr


def test_a_job_that_was_begun_is_resumed_and_a_lost_one_replaced() -> None:
    with fake_x(gone=GONE, job_statuses=["in_progress"]) as x:
        begun = jobs(x).read(["1", "7"], threading.Event(), None)
        cursor = next(batch.cursor for batch in begun if batch.cursor)
        assert x.uploads == {}
        batches = list(jobs(x).read(["1", "7"], threading.Event(), cursor))
        assert [event.post_id for batch in batches for event in batch.events] == ["7"]
        assert (len(x.jobs), x.uploads) == (1, {"1000": ["1", "7"]})
        x.job_statuses = ["expired", "complete"]
        batches = list(jobs(x).read(["9"], threading.Event(), cursor))
        assert [event.post_id for batch in batches for event in batch.events] == ["9"]
        assert len(x.jobs) == 2


def test_a_job_that_fails_ends_the_read() -> None:
    with fake_x(job_statuses=["failed"]) as x, pytest.raises(JobLost, match="job 1000 is failed"):
        list(jobs(x).read(["1"], threading.Event(), None))
