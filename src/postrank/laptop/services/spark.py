"""Spark on the local AWS: the job that counts the stream's windows, run once to the stream's end and compared."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from postrank.aws import policies
from postrank.aws.athena import Athena
from postrank.aws.clients import MakeClient
from postrank.aws.resources import Resources
from postrank.errors import Fatal

ENGINE = "spark"
_LATE = "3 hours"  # the bundled sample has posts that come two hours late
_ENDED = ("SUCCESS", "FAILED", "CANCELLED")


class NoSpark(Fatal):
    """Spark or its Java is missing."""


class SparkFailed(Fatal):
    """The job ended without having counted."""


class EnginesDiffer(Fatal):
    """Streamer, Spark and lake counted different windows."""


def environment() -> dict[str, str]:
    """What the local AWS needs to run Spark: a Java, and the jars that Spark lacks. Raises NoSpark."""
    if find_spec("pyspark") is None or find_spec("postrank_spark") is None:
        raise NoSpark("Spark is not installed: run `make spark`")
    return {"JAVA_HOME": _answer_of("java"), "LOCALAWS_SPARK_JARS": ",".join(_answer_of("jars").splitlines())}


def provision(client: MakeClient, names: Resources) -> None:
    """The bucket, the role, and what Airflow may do with them, as Terraform makes them where Spark is wanted."""
    client("s3").create_bucket(Bucket=names.spark.bucket)
    iam = client("iam")
    role = names.spark.role
    if role not in {existing["RoleName"] for existing in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=policies.trust("spark", names))
    iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=policies.policy("spark", names))
    document = policies.policy("airflow-spark", names)
    iam.put_role_policy(RoleName=names.roles["airflow"], PolicyName=role, PolicyDocument=document)


def _answer_of(command: str) -> str:
    """The answer of a command of `postrank-spark`. Raises NoSpark."""
    argv = [sys.executable, "-m", "postrank_spark", command]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=dict(os.environ))
    if done.returncode != 0:
        raise NoSpark(done.stderr.strip().removeprefix("postrank-spark: "))
    return done.stdout.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """`pause` is called while the job runs; it raises what ends the run of everything. `logs`: where the job's go."""

    client: MakeClient
    names: Resources
    project: Path
    logs: Path
    pause: Callable[[], None]

    def count(self, say: Callable[[str], None]) -> str:
        """Run the job over the whole stream, then compare. Returns what the engines counted.

        Raises SparkFailed, EnginesDiffer.
        """
        provision(self.client, self.names)
        say("starting")
        self._run(self._release(), say)
        say("comparing")
        return self._compared()

    def _release(self) -> str:
        """Upload the job and its queries, as `postrank-spark release` does; returns the version."""
        from postrank_spark.release import upload

        return str(upload(self.client("s3"), self.names.buckets["artifacts"], self.project / "include/sql/stream"))

    def _run(self, version: str, say: Callable[[str], None]) -> None:
        """A run of the job that ends with the stream."""
        emr = self.client("emr-serverless")
        created = emr.create_application(
            name=self.names.spark.application, releaseLabel="emr-7.10.0", type="SPARK", clientToken="postrank"
        )
        application = created["applicationId"]
        started = emr.start_job_run(
            applicationId=application,
            executionRoleArn=f"arn:aws:iam::{self.names.account}:role/{self.names.spark.role}",
            jobDriver={"sparkSubmit": self._driver(version)},
            name="count-once",
        )
        while (run := emr.get_job_run(applicationId=application, jobRunId=started["jobRunId"])["jobRun"])[
            "state"
        ] not in _ENDED:
            say(str(run["state"]).lower())
            self.pause()
        if run["state"] != "SUCCESS":
            raise SparkFailed(f"the Spark job {started['jobRunId']} ended as {run['state']}: {run['stateDetails']}")

    def _driver(self, version: str) -> dict[str, object]:
        release = f"s3://{self.names.buckets['artifacts']}/spark/{version}"
        return {
            "entryPoint": f"{release}/job.py",
            "entryPointArguments": [
                "run",
                *("--kinesis", self.names.streams["posts"]),
                *("--queries", f"{release}/queries"),
                *("--checkpoints", f"s3://{self.names.spark.bucket}/checkpoints"),
                *("--lake", f"s3://{self.names.buckets['lake']}/{self.names.spark.windows.rstrip('/')}"),
                *("--late", _LATE),
                "--drain",
            ],
            "sparkSubmitParameters": f"--py-files {release}/postrank_spark.zip",
        }

    def _compared(self) -> str:
        """The minutes and posts of each engine. Raises EnginesDiffer."""
        athena = Athena(self.client("athena"), self.names.database, self.names.workgroup)
        statement = (self.project / "include/sql/queries/windows_by_engine.sql").read_text(encoding="utf-8")
        counts = {
            str(row["engine"]): (int(row["minutes"] or 0), int(row["posts"] or 0)) for row in athena.rows(statement)
        }
        (self.logs / "windows.json").write_text(json.dumps(counts) + "\n", encoding="utf-8")
        listing = ", ".join(f"{engine} {minutes:,} with {posts:,} posts" for engine, (minutes, posts) in counts.items())
        if len(set(counts.values())) != 1:
            raise EnginesDiffer(f"author minutes differ: {listing}")
        return f"author minutes: {listing}"
