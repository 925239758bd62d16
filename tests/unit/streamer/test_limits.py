"""What a stranger sends cannot make the streamer write, hold or serve without bound."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from localaws.testing.waiting import wait_for
from postrank.posts import Reject
from postrank.streamer.engine.ledgers import Ledgers
from postrank.streamer.engine.reject_quota import Quota
from postrank.streamer.telemetry import status
from postrank.streamer.telemetry.status import StatusServer

NOW = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


def _rejects(number: int, where: str = "a.ndjson") -> list[Reject]:
    return [Reject(reason="no JSON", line=b"x" * 4096, where=where, offset=n) for n in range(number)]


def _uploaded(ledgers: Ledgers) -> list[dict[str, Any]]:
    bodies: list[bytes] = []
    ledgers.upload(lambda _, body: bodies.append(body))
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_rejects_are_stored_up_to_the_quota_of_their_source_and_the_rest_is_counted(tmp_path):
    ledgers = Ledgers(tmp_path, "ledgers/", "c", rejects_per_hour=10)
    ledgers.note_rejects([*_rejects(25_000), *_rejects(3, "b.ndjson")])
    ledgers.flush()
    assert sum(path.stat().st_size for path in tmp_path.glob("*.open")) < 100_000
    rows = _uploaded(ledgers)
    assert [row["source"] for row in rows] == ["a.ndjson"] * 10 + ["b.ndjson"] * 3 + ["a.ndjson"]
    assert sum(row["lines"] for row in rows) == 25_003
    assert rows[-1]["reason"] == "24990 more lines were rejected: 10 of a source are stored an hour"
    assert _uploaded(ledgers) == []


def test_a_quota_begins_again_with_every_hour():
    quota = Quota(2)
    assert [quota.admits("a", NOW) for _ in range(3)] == [True, True, False]
    assert quota.admits("a", NOW + timedelta(minutes=29, seconds=59)) is False
    assert quota.admits("a", NOW + timedelta(minutes=30)) is True
    assert quota.take_left_out() == {"a": 2}
    assert quota.take_left_out() == {}


@pytest.fixture
def server(monkeypatch):
    """A status server whose connections have less time, and fewer of them room."""
    monkeypatch.setattr(status, "SECONDS", 1.0)
    monkeypatch.setattr(status, "CONNECTIONS", 4)
    heartbeat = SimpleNamespace(to_json=lambda: b"{}")
    serving = StatusServer(SimpleNamespace(heartbeat=lambda: heartbeat), 0)  # type: ignore[arg-type]
    serving.start()
    yield serving
    serving.stop()


def _answers(server: StatusServer) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{server.port}/heartbeat", timeout=5).is_success
    except httpx.TransportError:
        return False


def test_connections_beyond_the_limit_are_closed_and_those_that_dawdle_are_ended(server):
    dawdling = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(4)]
    for connection in dawdling:
        connection.sendall(b"GET /heartbeat HTTP/1.1\r\n")
    wait_for(lambda: not _answers(server), timeout=30, what="the server to be full", every=0.01)
    began = time.monotonic()
    wait_for(lambda: _answers(server), timeout=60, what="room for another connection", every=0.1)
    assert time.monotonic() - began < 50
    assert [connection.recv(1) for connection in dawdling] == [b""] * 4
    for connection in dawdling:
        connection.close()


def test_a_client_that_sends_a_byte_now_and_then_is_ended_all_the_same(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:

        def ended() -> bool:
            try:
                connection.sendall(b"x")
            except OSError:
                return True
            return False

        wait_for(ended, timeout=60, what="the connection to be ended", every=0.2)
