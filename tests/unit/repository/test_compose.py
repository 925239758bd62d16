"""The compose file: least rights, nothing open beyond loopback, known versions, explained variables."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws.testing.patience import patient

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
ONE_SHOT = {"migrate", "resources", "kafka-topics"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_not_root_cannot_become_it_and_writes_only_where_it_must(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_a_service_that_stays_says_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name: str) -> None:
    assert re.search(r":\d+\.\d+", SERVICES[name]["image"])


def test_the_local_aws_is_reached_at_the_address_that_is_explained_and_from_nowhere_else() -> None:
    address = SERVICES["localaws"]["networks"]["default"]["ipv4_address"]
    assert f"http://{address}:4566" in (ROOT / ".env.example").read_text(encoding="utf-8")
    assert "ports" not in SERVICES["localaws"]
    assert f"--allow-host={address}" in SERVICES["localaws"]["command"]


def test_the_local_aws_enforces_iam_with_a_secret_that_is_nowhere_in_the_repository() -> None:
    localaws = SERVICES["localaws"]
    assert "--enforce-iam" in localaws["command"]
    mounted = {config["target"]: config for config in localaws["configs"]}
    root = mounted["/etc/localaws/credentials"]
    assert "--credentials=/etc/localaws/credentials" in localaws["command"]
    assert (root["uid"], root["mode"]) == ("10001", 0o400)
    content = yaml.safe_load(TEXT)["configs"][root["source"]]["content"]
    assert "aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY:-}" in content
    assert re.search(r"^AWS_SECRET_ACCESS_KEY=$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert localaws["environment"] == {}


def test_files_and_workflows_have_the_form_that_compose_and_github_ask_for() -> None:
    """Against the schemas that check-jsonschema carries."""
    own = ROOT / "var/uv/bin/uv"
    uv = shutil.which("uv") or os.environ.get("UV") or (str(own) if own.exists() else pytest.skip("uv is not here"))
    check = [uv, "tool", "run", "--quiet", "--from", "check-jsonschema==0.39.0", "check-jsonschema"]
    if subprocess.run([*check, "--version"], capture_output=True, check=False, timeout=patient(120)).returncode:
        pytest.skip("check-jsonschema cannot be installed here")
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    for schema, files in (("compose-spec", [ROOT / "docker-compose.yaml"]), ("github-workflows", workflows)):
        argv = [*check, "--builtin-schema", f"vendor.{schema}", *files]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=patient(120))
        assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_pinned_to_commits() -> None:
    used = [line for path in (ROOT / ".github/workflows").glob("*.yml") for line in path.read_text().splitlines()]
    used = [line for line in used if re.match(r"\s*(- )?uses: (?!\./)", line)]  # but for this commit's own
    assert used
    assert [line for line in used if not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


def test_every_variable_is_explained_in_the_example() -> None:
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    explained = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert used == explained


def test_the_image_s_airflow_is_the_lock_s() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    locked = next(package["version"] for package in packages if package["name"] == "apache-airflow")
    assert f"apache/airflow:slim-{locked}-python3.11" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
