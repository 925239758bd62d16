"""Compliance jobs of X: ids are uploaded, results fetched, and posts that must go become tombstones with evidence."""

import json
import threading
from pathlib import Path

import pytest

from postrank.options import Secret
from postrank.sources.x.api import Api
from postrank.sources.x.lookups.compliance_jobs import POSTS, USERS, ComplianceJobs, JobLost
from tests.support.fakes.aws import aws_server
from tests.support.fakes.x import TOKEN, FakeX, fake_x
from tests.support.streaming.streamers import ledger
from tests.unit.gaps.test_backfill_files import backfill, configured, ids_file

GONE = {"7": "deleted", "9": "deleted"}


def jobs(x: FakeX, kind: str = POSTS) -> ComplianceJobs:
    return ComplianceJobs(api=Api(Secret(TOKEN), x.url), kind=kind, longest_poll=0.01)


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


def test_users_who_must_go_take_their_posts_with_them() -> None:
    at = "2026-11-24T05:00:00.000Z"
    lines = [
        {"id": "11", "action": "delete", "reason": "protected", "redacted_at": at},
        {"id": "12", "action": "scrub_geo", "reason": "scrub_geo"},
        {"id": "x", "action": "delete"},
        {"id": "13", "action": "delete", "redacted_at": "soon"},
    ]
    with fake_x(gone={"10": "deleted"}, results=[json.dumps(line) for line in lines]) as x:
        read = jobs(x, USERS).read(["10", "11", "12"], threading.Event(), None)
        batches = list(read)
        assert [job["type"] for job in x.jobs] == ["users"]
    events = [event for batch in batches for event in batch.events]
    assert [(event.post_id, event.author_id, event.posted_at) for event in events] == [
        ("author:10", "10", None),
        ("author:11", "11", at),
    ]
    assert sum(len(batch.rejects) for batch in batches) == 2
    (notice,) = [notice for batch in batches for notice in batch.notices]
    assert "3 ids of users (sha256 " in notice.about
    assert notice.about.endswith("2 deleted")


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
