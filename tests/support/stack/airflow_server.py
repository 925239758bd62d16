"""An `airflow api-server` alone, with the project's plugins: what pages need."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from localaws.testing.patience import patient
from postrank.laptop.services.airflow import AIRFLOW, start_database
from postrank.laptop.services.postgres import Postgres
from postrank.laptop.services.processes import Parts, Program
from postrank.laptop.setup.ports import any_free

ROOT = Path(__file__).resolve().parents[3]
USER, PASSWORD = "viewer", "a-password-of-tests"
_STARTED_SECONDS = 600.0


@contextmanager
def api_server(folder: Path, aws_endpoint: str) -> Iterator[str]:
    """A running api-server in which USER may look at everything; yields its address."""
    port = any_free()
    url = f"http://127.0.0.1:{port}"
    words = [*AIRFLOW, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--apps", "core"]
    with Parts(folder) as parts:
        database = Postgres(parts, folder / "postgres", ROOT / "var" / "cache")
        env = _environment(folder, database, aws_endpoint, url)
        start_database(database, env)
        parts.start("api-server", Program(argv=words, env=env, cwd=folder))
        parts.wait_until("api-server", lambda: _answers(url), _STARTED_SECONDS)
        yield url


def token(url: str) -> str:
    """A token of USER for the API of the server at `url`."""
    answer = httpx.post(f"{url}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=patient(30))
    assert answer.is_success, answer.text
    return str(answer.json()["access_token"])


def _environment(folder: Path, database: Postgres, aws_endpoint: str, url: str) -> dict[str, str]:
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({USER: PASSWORD}))
    extra = {"region_name": "us-east-1", "endpoint_url": aws_endpoint}
    connection = {"conn_type": "aws", "login": "test", "password": "test", "extra": extra}
    ours = ("AIRFLOW", "AWS_", "POSTRANK_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": "k" * 64,
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 96,
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        "POSTRANK_ACCOUNT": "123456789012",
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", timeout=patient(10)).is_success
    except httpx.TransportError:
        return False
