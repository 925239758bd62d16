"""Every block of docs/quickstarts.md, run as it stands against a server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from localaws.testing.patience import patient

PACKAGE = Path(__file__).parents[1]
BLOCK = re.compile(r'^```\w+ title="(?P<title>\w+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
BLOCKS = dict(BLOCK.findall((PACKAGE / "docs" / "quickstarts.md").read_text(encoding="utf-8")))
MIRRORS = [mirror.parent for mirror in Path("/opt").glob("*/registry.terraform.io")]


@pytest.fixture
def environment(aws):
    """What the page has its reader export, and nothing else of AWS."""
    passed = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    variables = {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    return {
        **passed,
        **variables,
        "AWS_SHARED_CREDENTIALS_FILE": str(aws.credentials),
        "AWS_EC2_METADATA_DISABLED": "1",
    }


def run(*argv, environment, folder):
    done = subprocess.run(
        argv, env=environment, cwd=folder, capture_output=True, text=True, timeout=patient(200), check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_boto3_stores_and_reads(environment, tmp_path):
    printed = run(sys.executable, "-c", BLOCKS["boto3"], environment=environment, folder=tmp_path)
    assert printed.startswith('{"id": 1, "text": "hello"}')


def test_the_command_line_stores_and_streams(environment, tmp_path):
    if not shutil.which("aws"):
        pytest.skip("the aws command is not installed")
    printed = run("sh", "-ec", BLOCKS["awscli"], environment=environment, folder=tmp_path)
    assert "1.json" in printed
    assert "SequenceNumber" in printed


def test_pyathena_queries(environment, tmp_path):
    pytest.importorskip("pyathena")
    printed = run(sys.executable, "-c", BLOCKS["pyathena"], environment=environment, folder=tmp_path)
    assert printed.strip() == "[('ann', 1), ('bob', 1)]"


@pytest.mark.slow
def test_the_sdk_for_pandas_writes_and_queries(environment, tmp_path):
    """Its pyarrow is older than this project's: it gets an environment of its own."""
    uv = shutil.which("uv") or shutil.which(str(PACKAGE.parents[1] / "var" / "uv" / "bin" / "uv"))
    if not uv:
        pytest.skip("uv is not installed")
    argv = [uv, "run", "--quiet", "--no-project", "--with", "awswrangler>=3.12", "python", "-c", BLOCKS["awswrangler"]]
    assert "bob" in run(*argv, environment=environment, folder=tmp_path)


@pytest.mark.slow
def test_terraform_makes_what_it_is_told(aws, environment, tmp_path):
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed")
    (tmp_path / "main.tf").write_text(BLOCKS["terraform"])
    settings = tmp_path / "terraform.rc"
    source = f'filesystem_mirror {{\n    path = "{MIRRORS[0]}"\n  }}' if MIRRORS else "direct {}"
    settings.write_text(f"provider_installation {{\n  {source}\n}}\n")
    environment = {**environment, "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"}
    run("terraform", "init", "-no-color", environment=environment, folder=tmp_path)
    run("terraform", "apply", "-auto-approve", "-no-color", environment=environment, folder=tmp_path)
    assert "made-by-terraform" in aws.client("kinesis").list_streams()["StreamNames"]
    plan = run("terraform", "plan", "-detailed-exitcode", "-no-color", environment=environment, folder=tmp_path)
    assert "No changes" in plan


def test_pytest_has_the_fixtures(environment, tmp_path):
    (tmp_path / "test_block.py").write_text(BLOCKS["pytest"])
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    assert "1 passed" in run(*argv, environment=environment, folder=tmp_path)


def test_the_compose_service_enforces_iam_and_listens_on_loopback():
    service = yaml.safe_load((PACKAGE / "compose.yaml").read_text(encoding="utf-8"))["services"]["localaws"]
    assert service["ports"] == ["127.0.0.1:4566:4566"]
    assert "--enforce-iam" in service["command"]
