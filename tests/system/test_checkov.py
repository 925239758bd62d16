"""checkov finds nothing in Terraform's files, the Dockerfile and the workflows; what is skipped says why."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from localaws.testing.patience import patient

ROOT = Path(__file__).parents[2]
CHECKOV = "checkov==3.3.30"  # its many pins stay out of uv.lock: it runs in an environment of its own
SECONDS = 280
# All that is off by default is on, so that it is checked too.
EVERYTHING = """
mwaa         = { version = "3.2.1" }
airflow_ecs = {
  image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  sign_in = {
    host                   = "a.example.com"
    certificate_arn        = "arn:aws:acm:us-east-1:123456789012:certificate/c"
    issuer                 = "https://id.example.com"
    authorization_endpoint = "https://id.example.com/authorize"
    token_endpoint         = "https://id.example.com/token"
    user_info_endpoint     = "https://id.example.com/userinfo"
    client_id              = "airflow"
  }
}
alarm_emails = ["team@example.com"]
warehouse_class = "db.t4g.small"
app = {
  image_tag       = "1"
  host            = "h.example.com"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c"
}
bucket       = "state"
repository   = "example/postrank"
"""
USUAL = {"CHECKOV_RUN_SCA_PACKAGE_SCAN": "false", "BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR"}


@pytest.fixture(scope="module")
def checkov() -> list[str]:
    """The command, or a skip where uv or the package cannot be had."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / "var/uv/bin"))
    if uv is None:
        pytest.skip("uv is not on the PATH")
    command = [uv, "tool", "run", "--from", CHECKOV, "checkov"]
    had = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=patient(SECONDS), check=False)
    if had.returncode != 0:
        pytest.skip(f"{CHECKOV} cannot be had: {had.stderr.strip().splitlines()[-1:]}")
    return command


@pytest.mark.slow
@pytest.mark.timeout(patient(2 * SECONDS + 20))
def test_checkov_finds_nothing_and_every_skip_has_a_reason(checkov: list[str], tmp_path: Path) -> None:
    everything = tmp_path / "everything.tfvars"
    everything.write_text(EVERYTHING, encoding="utf-8")
    words = ["--directory", str(ROOT / "terraform"), "--framework", "terraform", "--skip-path", "tests"]
    for variables in (ROOT / "terraform/environments/prod.tfvars", everything):
        words += ["--var-file", str(variables)]
    words += ["--skip-download", "--output", "json"]
    env = {**os.environ, **USUAL}
    done = subprocess.run(
        [*checkov, *words], capture_output=True, text=True, timeout=patient(SECONDS), env=env, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout)
    failed = [(one["check_id"], one["resource"], one["check_name"]) for one in found["results"]["failed_checks"]]
    skipped = [(one["check_id"], one["check_result"]["suppress_comment"]) for one in found["results"]["skipped_checks"]]
    assert failed == []
    assert found["results"]["parsing_errors"] == []
    assert found["summary"]["resource_count"] > 80
    assert [one for one in skipped if len(one[1].split()) < 4] == []


@pytest.mark.timeout(2 * SECONDS + 20)
@pytest.mark.parametrize(
    ("framework", "source"), [("dockerfile", "Dockerfile"), ("github_actions", ".github/workflows")]
)
def test_checkov_finds_nothing_in_images_and_workflows(
    checkov: list[str], tmp_path: Path, framework: str, source: str
) -> None:
    target = tmp_path / source
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
    copy(ROOT / source, target)
    words = ["--directory", str(tmp_path), "--framework", framework, "--skip-download", "--output", "json"]
    env = {**os.environ, **USUAL}
    done = subprocess.run([*checkov, *words], capture_output=True, text=True, timeout=SECONDS, env=env, check=False)
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout)
    failed = [(one["check_id"], one["resource"], one["check_name"]) for one in found["results"]["failed_checks"]]
    skipped = [(one["check_id"], one["check_result"]["suppress_comment"]) for one in found["results"]["skipped_checks"]]
    assert failed == []
    assert found["results"]["parsing_errors"] == []
    assert found["summary"]["passed"] > 20
    assert [reason for _, reason in skipped if len(reason.split()) < 4] == []
