"""The loopback ports of a run."""

import socket

from postrank.errors import Fatal

HOST = "127.0.0.1"


class PortTaken(Fatal):
    """Another program listens on the port that was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} on {HOST} is taken by another program: stop it, or choose another with PORT=...")
        self.port = port


def claim(port: int) -> int:
    """`port`, found free just now; raises PortTaken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(port) from error
    return port


def any_free() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
