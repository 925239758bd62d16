"""The nightly look for drift, as the workflow runs it under the role that plans, and what `postrank status` says."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

import pytest
import yaml

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws.resources import Resources
from postrank.environments.facts import Fact
from postrank.environments.status import DRIFT, Status

ROOT = Path(__file__).resolve().parents[3]
NAMES = Resources.of("dev", "123456789012")
ROLE = "postrank-ci-plan"
ACCOUNT_ROOT = {"AWS": f"arn:aws:iam::{NAMES.account}:root"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": ACCOUNT_ROOT, "Action": "sts:AssumeRole"}],
}
TERRAFORM = '#!/bin/sh\necho "the plan"\nexit {status}\n'


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("localaws"), enforce_iam=True) as running:
        for purpose in ("artifacts", "raw"):
            running.client("s3").create_bucket(Bucket=NAMES.buckets[purpose])
        text = (ROOT / "terraform/bootstrap/policies/plan.json").read_text(encoding="utf-8")
        document = Template(text).substitute(state_bucket="state", account=NAMES.account)
        iam = running.client("iam")
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName=ROLE, PolicyName="plan", PolicyDocument=document)
        yield running


@pytest.fixture
def night(aws: LocalAws, tmp_path: Path) -> Callable[[int], int]:
    """Runs the step of the workflow with a plan that ends with a status; returns the step's."""
    if not shutil.which("aws"):
        pytest.skip("aws is not installed")
    workflow = yaml.safe_load((ROOT / ".github/workflows/infrastructure.yml").read_text(encoding="utf-8"))
    script = workflow["jobs"]["drift"]["steps"][-1]["run"]

    def run(status: int) -> int:
        terraform = tmp_path / "terraform"
        terraform.write_text(TERRAFORM.format(status=status), encoding="utf-8")
        terraform.chmod(0o755)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        env = {
            **inherited,
            **aws.role_environment(ROLE),
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "ENVIRONMENT": NAMES.environment,
            "GITHUB_SHA": "3f9a01c2b4d6e8",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        command = ["bash", "-e", "-c", script]
        completed = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=patient(60)
        )
        assert "An error occurred" not in completed.stderr, completed.stderr
        return completed.returncode

    return run


def drift(aws: LocalAws, now: datetime) -> Fact:
    return next(fact for fact in Status(aws.client, NAMES, now).facts() if fact.topic == "drift")


def test_the_status_tells_what_the_last_night_found(aws: LocalAws, night: Callable[[int], int]) -> None:
    now = datetime.now(UTC)
    assert night(2) == 2
    assert drift(aws, now).text.startswith("AWS differs from the branch, commit 3f9a01c2, ")
    assert drift(aws, now).is_well is False
    assert night(1) == 1
    assert drift(aws, now).text.startswith("terraform plan failed, ")
    assert night(0) == 0
    assert drift(aws, now).text.startswith("AWS is as the branch says, ")
    assert drift(aws, now).is_well
    late = drift(aws, now + timedelta(days=3))
    assert late.text.endswith("3 days ago")
    assert late.is_well is False


def test_without_a_report_the_status_says_who_writes_one(aws: LocalAws) -> None:
    aws.client("s3").delete_object(Bucket=NAMES.buckets["artifacts"], Key=DRIFT)
    fact = drift(aws, datetime.now(UTC))
    assert fact.is_well is None
    assert "the workflow Infrastructure" in fact.text
