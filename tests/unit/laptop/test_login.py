"""The login of a run's Airflow: a password that stays, and a client that logs in by itself."""

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from postrank.laptop.services import login
from postrank.laptop.setup.layout import Layout

ROOT = Path(__file__).resolve().parents[3]


class Airflow(ThreadingHTTPServer):
    """Answers logins with a token, and everything else to who shows the newest one."""

    def __init__(self, password: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.password = password
        self.tokens = 0
        self.down = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Airflow

    def do_GET(self) -> None:
        valid = self.headers["Authorization"] == f"Bearer token-{self.server.tokens}"
        self._respond(200 if valid else 401, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.down:
            self._respond(503, {})
        elif body != {"username": "admin", "password": self.server.password}:
            self._respond(401, {})
        else:
            self.server.tokens += 1
            self._respond(201, {"access_token": f"token-{self.server.tokens}"})

    def _respond(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    path = tmp_path / "airflow" / "passwords.json"
    login.settings(path)
    return path


@pytest.fixture
def airflow(passwords: Path) -> Iterator[Airflow]:
    server = Airflow(login.password(passwords))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_password_is_long_random_and_closed_to_other_users(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        settings = login.settings(path)
        assert settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
        assert login.password(path) not in "".join(settings.values())
        assert len(login.password(path)) == 24
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert login.password(paths[0]) != login.password(paths[1])


def test_a_run_that_resumes_keeps_the_password_and_a_fresh_one_does_not(tmp_path: Path) -> None:
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    login.settings(layout.passwords)
    password = login.password(layout.passwords)
    login.settings(layout.passwords)
    assert login.password(layout.passwords) == password
    layout.start_afresh()
    login.settings(layout.passwords)
    assert login.password(layout.passwords) != password


def test_the_client_logs_in_once_and_again_when_its_token_expired(airflow: Airflow, passwords: Path) -> None:
    with httpx.Client(base_url=airflow.url, auth=login.Login(airflow.url, passwords)) as client:
        assert [client.get("/").status_code for _ in range(3)] == [200, 200, 200]
        assert airflow.tokens == 1
        airflow.tokens = 7
        assert client.get("/").status_code == 200
        assert airflow.tokens == 8


def test_a_rejected_password_is_named_with_its_file(airflow: Airflow, passwords: Path) -> None:
    airflow.password = "another"
    with (
        httpx.Client(base_url=airflow.url, auth=login.Login(airflow.url, passwords)) as client,
        pytest.raises(login.LoginFailed, match=str(passwords)) as failure,
    ):
        client.get("/")
    assert login.password(passwords) not in str(failure.value)


def test_a_login_that_cannot_be_answered_now_may_be_tried_again(airflow: Airflow, passwords: Path) -> None:
    airflow.down = True
    with httpx.Client(base_url=airflow.url, auth=login.Login(airflow.url, passwords)) as client:
        with pytest.raises(httpx.TransportError, match="503"):
            client.get("/")
        airflow.down = False
        assert client.get("/").status_code == 200
