"""`stream_windows` for real: an application, its streaming run, a run that ended, a newer release."""

import json

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.laptop.services.spark import provision
from tests.dags.conftest import NAMES

pytestmark = [pytest.mark.timeout(patient(180)), pytest.mark.in_file_order]

# What runs in place of the job: it waits until it is asked to stop.
JOB = b"""
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    signal.pause()
"""


def release(aws, version: str) -> None:
    """Upload a release, as `postrank-spark release` does."""
    s3 = aws.client("s3")
    bucket = NAMES.buckets["artifacts"]
    s3.put_object(Bucket=bucket, Key=f"spark/{version}/job.py", Body=JOB)
    s3.put_object(Bucket=bucket, Key=f"spark/{version}/postrank_spark.zip", Body=b"PK")
    s3.put_object(Bucket=bucket, Key="spark/latest.json", Body=json.dumps({"version": version}).encode())


def runs(aws) -> list[tuple[str, str]]:
    """State and version of every run, newest first."""
    emr = aws.client("emr-serverless")
    (application,) = emr.list_applications()["applications"]
    ids = [run["id"] for run in emr.list_job_runs(applicationId=application["id"])["jobRuns"]]
    records = [emr.get_job_run(applicationId=application["id"], jobRunId=run)["jobRun"] for run in ids]
    return [(record["state"], record["tags"]["postrank:version"]) for record in records]


def test_without_a_release_nothing_is_done(aws, run_dag):
    outcome = run_dag("stream_windows")
    assert set(outcome.tasks.values()) == {"skipped"}
    assert "postrank-spark release" in outcome.note


def test_an_application_is_created_and_a_run_of_the_release_started(aws, run_dag):
    provision(aws.client, NAMES)
    release(aws, "one")
    outcome = run_dag("stream_windows")
    assert outcome.state == "success"
    assert (outcome.tasks["create_application"], outcome.tasks["start_run"]) == ("success", "success")
    assert (outcome.tasks["stop_run"], outcome.tasks["keep_run"]) == ("skipped", "skipped")
    assert outcome.tasks["require_equal_windows"] == "success"
    wait_for(lambda: runs(aws) == [("RUNNING", "one")], what="the run")


def test_a_run_of_the_newest_release_is_left_alone(aws, run_dag):
    outcome = run_dag("stream_windows")
    assert (outcome.tasks["keep_run"], outcome.tasks["start_run"]) == ("success", "skipped")
    assert outcome.tasks["require_equal_windows"] == "success"
    assert runs(aws) == [("RUNNING", "one")]


def test_a_run_of_an_older_release_is_replaced(aws, run_dag):
    release(aws, "two")
    outcome = run_dag("stream_windows")
    assert (outcome.tasks["stop_run"], outcome.tasks["start_run"]) == ("success", "success")
    wait_for(lambda: runs(aws) == [("RUNNING", "two"), ("CANCELLED", "one")], what="the newer run")


def test_a_run_that_ended_is_started_again(aws, run_dag):
    emr = aws.client("emr-serverless")
    (application,) = emr.list_applications()["applications"]
    (run,) = emr.list_job_runs(applicationId=application["id"], states=["RUNNING"])["jobRuns"]
    emr.cancel_job_run(applicationId=application["id"], jobRunId=run["id"])
    wait_for(lambda: runs(aws)[0][0] == "CANCELLED", what="the cancellation")
    outcome = run_dag("stream_windows")
    assert (outcome.tasks["start_run"], outcome.tasks["create_application"]) == ("success", "skipped")
    wait_for(lambda: runs(aws)[0] == ("RUNNING", "two"), what="the run")
