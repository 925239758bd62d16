"""An `airflow api-server` alone, with the project's plugins: what pages need."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from localaws.testing.waiting import wait_for
from postrank.laptop.setup.ports import any_free

ROOT = Path(__file__).resolve().parents[3]
USER, PASSWORD = "viewer", "a-password-of-tests"
_STARTED_SECONDS = 120.0


@contextmanager
def api_server(folder: Path, aws_endpoint: str, *, with_login: bool) -> Iterator[str]:
    """A running api-server; yields its address. With login, USER may look at everything; without, anybody may."""
    port = any_free()
    url = f"http://127.0.0.1:{port}"
    env = _environment(folder, aws_endpoint, url, with_login=with_login)
    if not (folder / "airflow.db").exists():
        subprocess.run([*_AIRFLOW, "db", "migrate"], env=env, check=True, capture_output=True)
    words = [*_AIRFLOW, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--apps", "core"]
    with (folder / f"api-server-{port}.log").open("wb") as log:
        process = subprocess.Popen(words, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(url, process), timeout=_STARTED_SECONDS, what="the api-server", every=0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def token(url: str) -> str:
    """A token of USER for the API of the server at `url`."""
    answer = httpx.post(f"{url}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=30)
    assert answer.is_success, answer.text
    return str(answer.json()["access_token"])


_AIRFLOW = (sys.executable, "-m", "airflow")


def _environment(folder: Path, aws_endpoint: str, url: str, *, with_login: bool) -> dict[str, str]:
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({USER: PASSWORD}))
    extra = {"region_name": "us-east-1", "endpoint_url": aws_endpoint}
    connection = {"conn_type": "aws", "login": "localaws", "password": "localaws", "extra": extra}
    ours = ("AIRFLOW", "AWS_", "POSTRANK_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": str(not with_login),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": "k" * 64,
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 96,
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        "POSTRANK_ACCOUNT": "123456789012",
    }


def _answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, f"the api-server ended with {process.returncode}"
    try:
        return httpx.get(f"{url}/api/v2/version", timeout=10).is_success
    except httpx.TransportError:
        return False
