"""The two distributions as their users get them: each wheel alone, installed into an empty environment."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from localaws.testing.waiting import wait_for
from tests.support.streaming.streamers import record, write_lines

ROOT = Path(__file__).resolve().parents[2]
POSTS = 25
# What only the laptop, the export or Airflow needs.
NOT_IN_THE_BASE = ("airflow", "duckdb", "localaws", "moto", "pyarrow", "rich", "sklearn", "sqlglot")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def uv() -> str:
    of_setup = ROOT / "var/uv/bin/uv"
    path = shutil.which("uv") or os.environ.get("UV") or (str(of_setup) if of_setup.exists() else None)
    return path or pytest.skip("uv is not here")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory, uv) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for package in ("postrank", "localaws"):
        build = [uv, "build", "--quiet", "--wheel", "--package", package, "--out-dir", folder]
        subprocess.run(build, cwd=ROOT, check=True, timeout=300)
    return {path.name.split("-")[0]: path for path in folder.glob("*.whl")}


def installed(uv: str, folder: Path, wheel: Path) -> Path:
    """The `bin` folder of an environment that holds the wheel and what it depends on."""
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=120)
    install = [uv, "pip", "install", "--quiet", "--python", folder / "bin/python", wheel]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def product(tmp_path_factory, uv, wheels) -> Path:
    return installed(uv, tmp_path_factory.mktemp("product") / "venv", wheels["postrank"])


def environment() -> dict[str, str]:
    """This process's, without what would lead to this checkout or to an AWS."""
    named = ("PYTHONPATH", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in named and not name.startswith(("AWS_", "POSTRANK_", "AIRFLOW"))
    }


def test_each_wheel_carries_its_own_package_alone(wheels):
    for package, wheel in wheels.items():
        names = zipfile.ZipFile(wheel).namelist()
        assert {name.split("/")[0] for name in names} == {package, f"{package}-0.1.0.dist-info"}
        assert f"{package}/py.typed" in names


def test_the_streamer_runs_from_the_product_s_wheel_alone(product, tmp_path):
    posts = write_lines(tmp_path / "posts.ndjson.gz", (record(number) for number in range(POSTS)))
    out = tmp_path / "out"
    config = tmp_path / "streamer.toml"
    config.write_text(
        f'state = "{tmp_path / "state"}"\ncollector = "wheel"\ninstance_id = "wheel"\n'
        f'[source]\nkind = "replay"\nfiles = ["{posts}"]\n[sink]\nkind = "files"\nfolder = "{out}"\n'
        "[metrics]\nseconds = 0\n"
    )
    env = {**environment(), "POSTRANK_ACCOUNT": "123456789012"}
    argv = [product / "postrank", "stream", "--config", config]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for path in (out / "posts").glob("*.ndjson") for line in path.open()]
    assert sorted(int(line["post_id"]) for line in lines) == list(range(POSTS))


@pytest.mark.parametrize("package", NOT_IN_THE_BASE)
def test_the_base_install_lacks_what_a_streamer_does_not_need(product, package):
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is not None)"
    assert subprocess.run([product / "python", "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(("command", "extra"), [("up", "export"), ("results", "export"), ("report", "export")])
def test_a_command_whose_extra_is_missing_names_it(product, tmp_path, command, extra):
    argv = [product / "postrank", command]
    done = subprocess.run(
        argv, env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert f"pip install 'postrank[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_local_aws_serves_from_its_wheel_alone(uv, wheels, tmp_path, monkeypatch):
    commands = installed(uv, tmp_path / "venv", wheels["localaws"])
    argv = [commands / "localaws", "serve", "--port", "0", "--state", tmp_path / "state"]
    log = tmp_path / "stdout"
    with log.open("wb") as stdout:
        process = subprocess.Popen(argv, env=environment(), cwd=tmp_path, stdout=stdout)

    def endpoint() -> str:
        return log.read_text().partition("ready on ")[2].strip()

    try:
        ready = wait_for(endpoint, timeout=120, what="localaws")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "state" / "credentials"))
        session = boto3.Session(region_name="us-east-1")
        clients = {name: session.client(name, endpoint_url=ready) for name in ("s3", "kinesis", "athena")}
        clients["s3"].create_bucket(Bucket="wheel")
        clients["s3"].put_object(Bucket="wheel", Key="key", Body=b"body")
        assert clients["s3"].get_object(Bucket="wheel", Key="key")["Body"].read() == b"body"
        clients["kinesis"].create_stream(StreamName="wheel", ShardCount=1)
        query = clients["athena"].start_query_execution(
            QueryString="select 1", ResultConfiguration={"OutputLocation": "s3://wheel/out/"}
        )["QueryExecutionId"]

        def state() -> str | None:
            execution = clients["athena"].get_query_execution(QueryExecutionId=query)["QueryExecution"]
            reached = execution["Status"]["State"]
            return reached if reached not in ("QUEUED", "RUNNING") else None

        assert wait_for(state, timeout=120, what="the query's end") == "SUCCEEDED"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
