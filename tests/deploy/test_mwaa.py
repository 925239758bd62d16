"""The package for Amazon MWAA: it can be installed over MWAA's Airflow, and every DAG and plug-in loads."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from localaws.testing.patience import patient

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "postrank", "deploy", "dags")
SETTINGS = {"POSTRANK_ENVIRONMENT": "dev", "POSTRANK_ACCOUNT": "123456789012"}
# Of Airflow's constraints for 3.2.1 and Python 3.12: what MWAA's image has before it sees our requirements.
IMAGE = (
    "apache-airflow==3.2.1", "apache-airflow-providers-amazon[aiobotocore]==9.25.0", "aiobotocore==3.4.0",
    "apache-airflow-providers-common-compat==1.14.3", "apache-airflow-providers-common-io==1.7.2",
    "apache-airflow-providers-common-sql==1.34.0", "apache-airflow-providers-http==6.0.2",
    "apache-airflow-providers-smtp==2.4.5", "apache-airflow-providers-standard==1.12.3",
    "botocore==1.42.84", "boto3==1.42.84", "click==8.3.2", "fastapi==0.136.0", "httpx==0.28.1", "orjson==3.11.8",
    "pendulum==3.2.0", "prometheus_client==0.25.0", "pyarrow==23.0.1", "pydantic==2.13.1", "SQLAlchemy==2.0.49",
)  # fmt: skip
LOAD = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.postgres.hooks.postgres import PostgresHook  # of a task, where there is a warehouse
bag = DagBag(sys.argv[1])
print("bag", json.dumps([sorted(bag.dags), bag.import_errors]))
"""

pytestmark = pytest.mark.timeout(patient(600))


@pytest.fixture(scope="module")
def uv() -> str:
    own = ROOT / "var/uv/bin/uv"
    found = shutil.which("uv") or os.environ.get("UV") or (str(own) if own.exists() else None)
    return found or pytest.skip("uv is not here")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, uv) -> Path:
    folder = tmp_path_factory.mktemp("mwaa") / "bundle"
    subprocess.run(
        [*COMMAND, "--out", folder], cwd=ROOT, env={**os.environ, **SETTINGS}, check=True, timeout=patient(300)
    )
    return folder


def test_the_bundle_holds_what_mwaa_takes(bundle):
    assert {path.name for path in bundle.iterdir()} == {
        "SHA256SUMS", "dags", "plugins.zip", "requirements.txt", "startup.sh",
    }  # fmt: skip
    lines = (bundle / "requirements.txt").read_text().splitlines()
    assert "--constraint /usr/local/airflow/dags/constraints.txt" in lines
    names = zipfile.ZipFile(bundle / "plugins.zip").namelist()
    assert {"postrank_plugin.py", "postrank_airflow/__init__.py", ".airflowignore"} <= set(names)
    assert any(name.startswith("postrank-") and name.endswith(".whl") for name in names)
    assert "export POSTRANK_ENVIRONMENT='dev'\n" in (bundle / "startup.sh").read_text()


@pytest.mark.slow
def test_it_is_installed_over_mwaa_s_airflow_and_every_dag_and_plugin_loads(bundle, uv, tmp_path):
    home = tmp_path / "airflow"  # /usr/local/airflow
    shutil.copytree(bundle / "dags", home / "dags")
    zipfile.ZipFile(bundle / "plugins.zip").extractall(home / "plugins")
    requirements = (bundle / "requirements.txt").read_text().replace("/usr/local/airflow", str(home))
    (home / "requirements.txt").write_text(requirements)
    newest = subprocess.run([uv, "python", "find", "3.12"], capture_output=True, text=True, check=False).stdout.strip()
    python = tmp_path / "venv/bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", newest or sys.executable, tmp_path / "venv"], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    image = subprocess.run([*install, *IMAGE], capture_output=True, text=True, check=False, timeout=patient(300))
    if image.returncode:
        pytest.skip(f"MWAA's Airflow cannot be installed here: {image.stderr.strip()[-300:]}")
    done = subprocess.run([*install, "-r", home / "requirements.txt"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    exported = [line.removeprefix("export ") for line in (bundle / "startup.sh").read_text().splitlines()[1:]]
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "POSTRANK", "AWS"))},
        **{name: one.strip("'") for name, _, one in (line.partition("=") for line in exported)},
        "POSTRANK_INCLUDE": str(home / "dags/include"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": f"{home}/dags:{home}/plugins",
    }
    loaded = subprocess.run(
        [python, "-c", LOAD, home / "dags"], env=env, capture_output=True, text=True, check=True, timeout=patient(200)
    )
    line = next(one for one in loaded.stdout.splitlines() if one.startswith("bag "))
    dags, errors = json.loads(line.removeprefix("bag "))
    assert errors == {}
    assert dags == sorted(path.stem for path in (ROOT / "dags").glob("*.py"))
    plugins = subprocess.run(
        [tmp_path / "venv/bin/airflow", "plugins", "--output", "json"],
        env=env, capture_output=True, text=True, check=True, timeout=patient(200),
    )  # fmt: skip
    assert "postrank" in plugins.stdout, plugins.stdout + plugins.stderr


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "precious").touch()
    done = subprocess.run(
        [*COMMAND, "--out", tmp_path],
        cwd=ROOT, env={**os.environ, **SETTINGS}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, (tmp_path / "precious").exists()) == (2, True)
    assert "holds something that was not built here" in done.stderr
