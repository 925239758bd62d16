"""Web pages of other origins reach nothing in Airflow, whatever name or session a browser gives them."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

OWN = "127.0.0.1:8080"


@pytest.fixture
def send():
    """Sends a request to an api-server on a loopback address; returns the status."""
    from postrank_airflow.ui.sender_check import SenderCheck

    def status(method, headers, hosts=("airflow.example",), path="/api/v2/dags"):
        app = FastAPI()
        app.add_middleware(SenderCheck, hosts=hosts)

        @app.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
        async def reached() -> object:
            return {}

        async def response():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(response()).status_code

    return status


@pytest.mark.parametrize("host", [OWN, "localhost:8080", "[::1]:8080", "127.8.8.8", "airflow.example", "LOCALHOST."])
def test_a_request_under_a_name_of_the_server_is_let_in(send, host):
    assert send("GET", {"Host": host}) == 200
    assert send("POST", {"Host": host}) == 200


@pytest.mark.parametrize(
    "host", ["rebound.example", "", "127.0.0.1.rebound.example", "localhost@rebound.example", "10.0.0.1", "[::1", "a/b"]
)
@pytest.mark.parametrize("path", ["/api/v2/dags", "/postrank/leaderboard", "/auth/token", "/execution/health"])
def test_a_request_under_a_foreign_name_is_rejected(send, host, path):
    assert send("GET", {"Host": host}, path=path) == 403


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing(send, method, headers):
    assert send(method, {"Host": OWN, **headers}) == 403


def test_the_servers_own_pages_change_what_they_like(send):
    own_page = {"Host": OWN, "Origin": f"http://{OWN}", "Sec-Fetch-Site": "same-origin"}
    assert send("POST", own_page) == 200


@pytest.mark.parametrize(
    ("base_url", "listed", "host", "status"),
    [
        ("http://127.0.0.1:8080", "", "rebound.example", 403),
        ("http://127.0.0.1:8080", "", "api-server:8080", 200),
        ("http://127.0.0.1:8080", "a.example, b.example:443", "b.example", 200),
        ("https://airflow.example", "", "10.0.0.7", 200),
        ("https://airflow.example", "a.example", "10.0.0.7", 403),
        ("https://airflow.example", "a.example", "airflow.example", 200),
    ],
)
def test_the_configuration_decides_which_names_are_accepted(send, monkeypatch, base_url, listed, host, status):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://api-server:8080/execution/")
    monkeypatch.setenv("POSTRANK_UI_HOSTS", listed)
    assert send("GET", {"Host": host}, hosts=None) == status


def test_the_plugin_checks_the_sender_before_anything_else():
    from postrank_plugin import PostrankPlugin

    names = [middleware["middleware"].__name__ for middleware in PostrankPlugin.fastapi_root_middlewares]
    assert names[-1] == "SenderCheck"  # each one is put around those before it
