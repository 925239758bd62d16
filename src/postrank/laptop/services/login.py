"""Who may use a run's Airflow: one administrator, whose generated password stays readable by its owner only."""

import json
import secrets
from collections.abc import Generator, Mapping
from pathlib import Path

import httpx

from postrank.errors import Fatal

USER = "admin"
PASSWORDS_FILE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
_PASSWORD_BYTES = 18  # 24 characters


class LoginFailed(Fatal):
    """Airflow rejected the run's own user."""

    def __init__(self, path: Path, status: int) -> None:
        super().__init__(f"Airflow rejected the login of {USER} with the password in {path} (status {status})")


def settings(path: Path) -> dict[str, str]:
    """Airflow's settings for a login with the password in `path`, which is generated unless the file exists."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({USER: secrets.token_urlsafe(_PASSWORD_BYTES)}), encoding="ascii")
    return {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        PASSWORDS_FILE: str(path),
    }


def password(path: Path) -> str:
    """The administrator's password in a file of passwords."""
    passwords: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return passwords[USER]


class Login(httpx.Auth):
    """Logs in before the first request, and again once the token has expired."""

    requires_response_body = True

    def __init__(self, url: str, passwords: Path) -> None:
        self._url = url
        self._passwords = passwords
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Send `request` with a valid token. Raises LoginFailed; HTTPError while the api-server cannot answer."""
        if not self._token:
            yield from self._renew()
        response = yield self._signed(request)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._renew()
            yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _renew(self) -> Generator[httpx.Request, httpx.Response]:
        credentials = {"username": USER, "password": password(self._passwords)}
        response = yield httpx.Request("POST", f"{self._url}/auth/token", json=credentials)
        if response.is_server_error:
            raise httpx.TransportError(f"the login was answered with status {response.status_code}")
        if not response.is_success:
            raise LoginFailed(self._passwords, response.status_code)
        self._token = str(response.json()["access_token"])
