"""EMR Serverless, as its API reference describes it, with a spark-submit that runs the entry point by itself."""

import gzip
import sys
import textwrap
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

ROLE = "arn:aws:iam::123456789012:role/job"
TRUST = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "emr-serverless.amazonaws.com"}}]}"""
# As spark-submit does in client mode: options, the program, its arguments.
SUBMIT = """\
#!{python}
import os, sys
words = sys.argv[1:]
while words[0].startswith("--"):
    words = words[2:]
os.execv(sys.executable, [sys.executable, *words])
"""
GREETING = "import sys, boto3; print(*sys.argv[1:], boto3.client('sts').get_caller_identity()['Arn'])"
WAITING = """\
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked to stop", flush=True), sys.exit(0)))
pathlib.Path("ready").touch()
while True:
    time.sleep(0.05)
"""
FAILING = "import sys; print('no such stream', file=sys.stderr); sys.exit(3)"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder = tmp_path_factory.mktemp("emr")
    submit = folder / "spark-submit"
    submit.write_text(SUBMIT.format(python=sys.executable))
    submit.chmod(0o755)
    with running_localaws(folder, speed=50, env={"LOCALAWS_SPARK_SUBMIT": str(submit)}) as server:
        server.client("s3").create_bucket(Bucket="jobs")
        server.client("iam").create_role(RoleName="job", AssumeRolePolicyDocument=TRUST)
        yield server


@pytest.fixture
def application(aws: LocalAws) -> str:
    created = aws.client("emr-serverless").create_application(name="windows", releaseLabel="emr-7.12.0", type="SPARK")
    return str(created["applicationId"])


def start(aws: LocalAws, application: str, program: str, *arguments: str, **options: object) -> str:
    """Start a run of a Python program; returns its id."""
    aws.client("s3").put_object(Bucket="jobs", Key="job.py", Body=textwrap.dedent(program).encode())
    driver = {
        "entryPoint": "s3://jobs/job.py",
        "entryPointArguments": list(arguments),
        "sparkSubmitParameters": "--conf spark.executor.cores=1",
    }
    started = aws.client("emr-serverless").start_job_run(
        applicationId=application, executionRoleArn=ROLE, jobDriver={"sparkSubmit": driver}, **options
    )
    return str(started["jobRunId"])


def run_of(aws: LocalAws, application: str, run: str) -> dict[str, object]:
    record: dict[str, object] = aws.client("emr-serverless").get_job_run(applicationId=application, jobRunId=run)[
        "jobRun"
    ]
    return record


def ended(aws: LocalAws, application: str, run: str, state: str) -> dict[str, object]:
    """The run, once it is in a state."""
    wait_for(lambda: run_of(aws, application, run)["state"] == state, timeout=30, what=f"{run} to be {state}")
    return run_of(aws, application, run)


def test_a_run_is_its_role_and_its_logs_are_in_s3(aws, application):
    monitoring = {"s3MonitoringConfiguration": {"logUri": "s3://jobs/logs"}}
    run = start(aws, application, GREETING, "hello", configurationOverrides={"monitoringConfiguration": monitoring})
    ended(aws, application, run, "SUCCESS")
    key = f"logs/applications/{application}/jobs/{run}/SPARK_DRIVER/stdout.gz"
    text = gzip.decompress(aws.client("s3").get_object(Bucket="jobs", Key=key)["Body"].read()).decode()
    assert text.startswith("hello arn:aws:sts::123456789012:assumed-role/job/")


def test_a_cancelled_run_is_asked_to_stop_and_its_process_is_gone(aws, application):
    run = start(aws, application, WAITING, mode="STREAMING")
    folder = aws.state / "emr-serverless" / "runs" / run
    wait_for((folder / "ready").exists, timeout=30, what="the driver to run")
    with pytest.raises(ClientError, match="active job runs"):
        aws.client("emr-serverless").stop_application(applicationId=application)
    aws.client("emr-serverless").cancel_job_run(applicationId=application, jobRunId=run)
    ended(aws, application, run, "CANCELLED")
    assert (folder / "stdout").read_text() == "asked to stop\n"
    aws.client("emr-serverless").stop_application(applicationId=application)
    aws.client("emr-serverless").delete_application(applicationId=application)
    state = aws.client("emr-serverless").get_application(applicationId=application)["application"]["state"]
    assert state == "TERMINATED"


def test_a_streaming_run_is_tried_again_as_its_policy_allows(aws, application):
    run = start(aws, application, FAILING, mode="STREAMING", retryPolicy={"maxFailedAttemptsPerHour": 2})
    record = ended(aws, application, run, "FAILED")
    assert record["attempt"] == 3
    assert "no such stream" in str(record["stateDetails"])


def test_a_missing_program_fails_the_run_and_names_it(aws, application):
    driver = {"entryPoint": "s3://jobs/absent.py"}
    started = aws.client("emr-serverless").start_job_run(
        applicationId=application, executionRoleArn=ROLE, jobDriver={"sparkSubmit": driver}
    )
    record = ended(aws, application, started["jobRunId"], "FAILED")
    assert "s3://jobs/absent.py does not exist" in str(record["stateDetails"])


def test_runs_are_listed_by_state_and_started_once_for_a_token(aws, application):
    options = {"clientToken": "same-token", "name": "greeting"}
    run = start(aws, application, GREETING, **options)
    assert start(aws, application, GREETING, **options) == run
    ended(aws, application, run, "SUCCESS")
    listed = aws.client("emr-serverless").list_job_runs(applicationId=application, states=["SUCCESS"])["jobRuns"]
    assert [(item["id"], item["name"], item["mode"]) for item in listed] == [(run, "greeting", "BATCH")]
    assert aws.client("emr-serverless").list_job_runs(applicationId=application, states=["FAILED"])["jobRuns"] == []
