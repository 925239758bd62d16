"""Connections that were idle for too long: closed at once, but not while a request is on its way."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localaws.gateway.connections import Connections
from localaws.gateway.http import server_for
from localaws.testing.waiting import wait_for

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def hello(_: Any, start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


class Served:
    """A server whose loop the test turns, and a client that has had one response."""

    def __init__(self) -> None:
        self.server = server_for(hello, 0)
        self.connections = Connections(self.server._map)
        self.client = socket.create_connection(self.server.socket.getsockname())
        self.client.setblocking(False)
        self.client.send(REQUEST)
        assert self.received().endswith(b"hello")
        (self.channel,) = self.server.active_channels.values()
        wait_for(lambda: not self.channel.requests, what="the end of the request")
        self.channel.last_activity = 0.0

    def received(self) -> bytes:
        """What arrives next; nothing when the connection was closed."""

        def arrived() -> list[bytes]:
            self.connections.turn(0.01)
            try:
                return [self.client.recv(4096)]
            except BlockingIOError:
                return []

        return bytes(wait_for(arrived, what="a response or the end")[0])

    def close(self) -> None:
        self.client.close()
        self.server.close()
        self.server.task_dispatcher.shutdown()
        self.connections.close()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


def test_an_idle_connection_is_closed_at_once(served: Served) -> None:
    served.server.maintenance(time.time())
    assert served.channel not in served.server.active_channels.values()
    assert served.received() == b""


def test_a_request_that_arrives_as_its_connection_expires_is_answered(served: Served) -> None:
    served.client.send(REQUEST)
    served.server.maintenance(time.time())
    assert served.received().endswith(b"hello")


def test_a_connection_in_use_stays_open(served: Served) -> None:
    served.channel.last_activity = time.time()
    served.server.maintenance(time.time())
    served.client.send(REQUEST)
    assert served.received().endswith(b"hello")
