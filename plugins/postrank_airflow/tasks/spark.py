"""The tasks of `stream_windows`: which release of the Spark job runs, what is to be done about it, what it counted."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError

from postrank.delivery.window_check import SPARK_STATE, Comparison
from postrank.documents import Document
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import AWS_CONNECTION, POLL_SECONDS, RESOURCES
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.run_note import reason_in_note, result_in_note

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.operators.emr import (
        EmrServerlessCreateApplicationOperator,
        EmrServerlessStartJobOperator,
        EmrServerlessStopApplicationOperator,
    )

RELEASE_LABEL = "emr-7.10.0"  # Spark 3.5 with the connector of Kinesis
_LATEST = "spark/latest.json"  # in the artifacts bucket; `postrank-spark release` writes it
_TAG = "postrank:version"  # of a job run: the release that it runs
_ACTIVE = ["SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING"]
_GONE = "TERMINATED"
_PLAN = "ti.xcom_pull(task_ids='describe_job')"


@task
@reason_in_note
def describe_job() -> Document:
    """Find the application, the run of the job and its version, and the newest release.

    Returns `application` (id, or ""), `state`, `run` (id, or ""), `version`, `release`.
    """
    release = _newest_release()
    emr = clients.client("emr-serverless")
    pages = emr.get_paginator("list_applications").paginate()
    applications = [application for page in pages for application in page["applications"]]
    name = RESOURCES.spark.application
    existing = [item for item in applications if item.get("name") == name and item["state"] != _GONE]
    if not existing:
        return {"application": "", "state": "", "run": "", "version": "", "release": release}
    application = existing[0]["id"]
    runs = emr.list_job_runs(applicationId=application, states=_ACTIVE, mode="STREAMING")["jobRuns"]
    version = ""
    if runs:
        record = emr.get_job_run(applicationId=application, jobRunId=runs[0]["id"])["jobRun"]
        version = record.get("tags", {}).get(_TAG, "")
    return {
        "application": application,
        "state": existing[0]["state"],
        "run": runs[0]["id"] if runs else "",
        "version": version,
        "release": release,
    }


@task.branch
def choose_step(plan: Document) -> str:
    """Create the application, start a run, replace one of another version, or keep what runs."""
    if not plan["application"]:
        return "create_application"
    if not plan["run"]:
        return "start_run"
    return "keep_run" if plan["version"] == plan["release"] else "stop_run"


@task
@result_in_note
def keep_run(plan: Document) -> str:
    """Leave alone a run of the newest release."""
    return f"run {plan['run']} of release {plan['release']} goes on"


@task(trigger_rule="none_failed_min_one_success")
@result_in_note
def require_equal_windows() -> str:
    """Compare Spark's author windows with the lake's minutes, hour by hour. Raises WindowsDiffer with the numbers."""
    comparison = Comparison(
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        render=render,
        statement="checks/spark_windows.sql",
        hop="Spark's windows",
        state=SPARK_STATE,
    )
    return comparison.hold_new(datetime.now(UTC))


def create_application() -> "EmrServerlessCreateApplicationOperator":
    """Where Terraform made none: an application that starts with its first run."""
    from airflow.providers.amazon.aws.operators.emr import EmrServerlessCreateApplicationOperator

    return EmrServerlessCreateApplicationOperator(
        task_id="create_application",
        release_label=RELEASE_LABEL,
        job_type="SPARK",
        config={"name": RESOURCES.spark.application},
        wait_for_completion=False,
        aws_conn_id=AWS_CONNECTION,
        doc_md="Create the EMR Serverless application where Terraform made none.",
    )


def stop_run() -> "EmrServerlessStopApplicationOperator":
    """Cancels the run of an older release; the new one resumes from its checkpoint."""
    from airflow.providers.amazon.aws.operators.emr import EmrServerlessStopApplicationOperator

    return EmrServerlessStopApplicationOperator(
        task_id="stop_run",
        application_id=f"{{{{ {_PLAN}['application'] }}}}",
        force_stop=True,
        waiter_delay=POLL_SECONDS,
        waiter_max_attempts=60,
        aws_conn_id=AWS_CONNECTION,
        doc_md="Cancel the run of an older release and stop the application; the next run starts it.",
    )


def start_run() -> "EmrServerlessStartJobOperator":
    """A streaming run of the newest release. EMR restarts it when it fails."""
    from airflow.providers.amazon.aws.operators.emr import EmrServerlessStartJobOperator

    release = f"{{{{ {_PLAN}['release'] }}}}"
    return EmrServerlessStartJobOperator(
        task_id="start_run",
        application_id=f"{{{{ {_PLAN}['application'] or ti.xcom_pull(task_ids='create_application') }}}}",
        execution_role_arn=f"arn:aws:iam::{RESOURCES.account}:role/{RESOURCES.spark.role}",
        job_driver=_driver(release),
        configuration_overrides=_monitoring(),
        config={
            "clientToken": "{{ ti.id }}",  # the operator's own is made when the file is parsed
            "mode": "STREAMING",
            "retryPolicy": {"maxFailedAttemptsPerHour": 5},
            "tags": {_TAG: release},
        },
        name="stream_windows",
        wait_for_completion=False,
        waiter_delay=POLL_SECONDS,
        waiter_max_attempts=60,
        aws_conn_id=AWS_CONNECTION,
        trigger_rule="none_failed_min_one_success",
        doc_md="Start a streaming run of the newest release. It resumes from its checkpoint.",
    )


def _driver(release: str) -> Document:
    artifacts = f"s3://{RESOURCES.buckets['artifacts']}/spark/{release}"
    arguments = ["run", "--kinesis", RESOURCES.streams["posts"], "--region", RESOURCES.region]
    arguments += ["--queries", f"{artifacts}/queries", "--partitions", "4"]
    arguments += ["--trigger", "60" if RESOURCES.environment != "local" else "2"]
    arguments += ["--checkpoints", f"s3://{RESOURCES.spark.bucket}/checkpoints"]
    arguments += ["--lake", f"s3://{RESOURCES.buckets['lake']}/{RESOURCES.spark.windows.rstrip('/')}"]
    if RESOURCES.environment != "local":  # the local AWS runs Spark 4, which has no connector of EMR's
        arguments.append("--built-in-kinesis")
    parameters = f"--py-files {artifacts}/postrank_spark.zip"
    parameters += " --conf spark.executor.cores=2 --conf spark.executor.memory=4g --conf spark.driver.cores=2"
    parameters += " --conf spark.dynamicAllocation.maxExecutors=4"
    return {
        "sparkSubmit": {
            "entryPoint": f"{artifacts}/job.py",
            "entryPointArguments": arguments,
            "sparkSubmitParameters": parameters,
        }
    }


def _monitoring() -> Document:
    return {
        "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": f"s3://{RESOURCES.spark.bucket}/logs/"}}
    }


def _newest_release() -> str:
    """Raises AirflowSkipException where none was uploaded."""
    bucket = RESOURCES.buckets["artifacts"]
    try:
        body = clients.client("s3").get_object(Bucket=bucket, Key=_LATEST)["Body"].read()
    except ClientError as error:
        # Without s3:ListBucket a key that is not there is AccessDenied ("GetObject", Amazon S3 API Reference).
        if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
            raise
        raise AirflowSkipException(
            f"Spark counts nothing here: `postrank-spark release {bucket}` uploads the job"
        ) from None
    return str(json.loads(body)["version"])
