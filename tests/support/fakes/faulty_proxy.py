"""A TCP proxy on loopback that can be away, mute, slow or rude: what networks and services do on bad days."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FAULTS = ("refused", "half-open", "slow", "reset")


class FaultyProxy:
    """Forwards to `target`; `fault` changes what happens to connections, those that are open included."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._fault = ""
        self._stopped = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def fault(self) -> str:
        """One of FAULTS, or "" for none."""
        return self._fault

    @fault.setter
    def fault(self, fault: str) -> None:
        self._fault = fault
        if fault in ("refused", "reset"):
            self._cut_all()

    def stop(self) -> None:
        self._stopped = True
        self._listener.close()
        self._cut_all()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._fault in ("refused", "reset"):
                _cut(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                _cut(client)
                continue
            with self._lock:
                self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(65536):
                while self._fault == "half-open" and not self._stopped:
                    time.sleep(0.01)  # nothing passes
                if self._fault == "slow":
                    time.sleep(0.05)  # about a megabyte a second
                sink.sendall(chunk)
        except OSError:
            pass  # one side went away, which is what this proxy is for
        finally:
            for one in (source, sink):
                _cut(one)
                with self._lock:
                    self._open.discard(one)

    def _cut_all(self) -> None:
        with self._lock:
            for one in self._open:
                _cut(one)
            self._open.clear()


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        one.close()


@contextmanager
def faulty_proxy(target: int) -> Iterator[FaultyProxy]:
    """A running proxy in front of a port of this machine; stopped on leaving."""
    proxy = FaultyProxy(target)
    try:
        yield proxy
    finally:
        proxy.stop()
