"""The loopback ports of a run."""

import contextlib
import random
import socket

from postrank.errors import Fatal

HOST = "127.0.0.1"
_SERVER_PORTS = (10_000, 32_000)


class PortTaken(Fatal):
    """Another program listens on the port that was asked for."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"port {port} on {HOST} is taken by another program: stop it, or choose another with {setting}"
        )
        self.port = port


def claim(port: int, setting: str = "--port") -> int:
    """`port`, found free just now; raises PortTaken, which names the setting that chooses it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(port, setting) from error
    return port


def any_free() -> int:
    """A port that nothing listens on, for a server that starts later.

    It lies outside the range from which the system takes the ports of outgoing connections (Linux from 32768, macOS
    from 49152): within that range a connection may take the port before the server does.
    """
    while True:
        port = random.randrange(*_SERVER_PORTS)  # noqa: S311 (nothing depends on its being secret)
        with contextlib.suppress(PortTaken):
            return claim(port)
