"""A long HTTP response (chunked or server-sent events), received in a thread of its own while its reader works.

The reader takes whatever has come, so that a burst is split once and not read line by line; when it falls behind by
more than BUFFER bytes, receiving waits, and so does the server.
"""

import http.client
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from postrank.outbound.connections import connection

BUFFER = 64 << 20  # bytes received that nobody has taken
_CHUNK = 1 << 16
_BODY = 2000  # bytes of a refusal that are read
_WINDOW = 1 << 18  # bytes that the system may receive beside, where each may cost money


class Lost(Exception):
    """The connection cannot be made or has ended; the text says how, and never what was sent to make it."""


class Refused(Exception):
    """The server answered with a status other than 200."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.body = body


class Stream:
    """The bytes of one response. `silence` seconds without any end it.

    `room`: bytes that may come, by now, while nobody takes any; what is received may have to be paid for.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        silence: float,
        connect: float = 10.0,
        room: Callable[[], int] | None = None,
    ) -> None:
        """Ask for the URL. Raises Lost, Refused, Unusable."""
        self._silence = silence
        self._room = room or _unbounded
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._full = False
        self.behind = False  # as of the last `take`: the server was held back, and more may have come long ago
        self._end: str | None = None
        self._closed = False
        self._changed = threading.Condition()
        try:
            self._socket, self._response = _ask(url, headers, connect)
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a URL that is none
            raise Lost(f"cannot connect: {_reason(error)}") from error
        if self._response.status != http.client.OK:
            raise self._refused()
        self._socket.settimeout(silence)
        if room is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
        threading.Thread(target=self._receive, name="receiver", daemon=True).start()

    def take(self, timeout: float) -> bytes:
        """What has come since the last call; waits up to `timeout` seconds for it, b"" if nothing came.

        Raises Lost once the connection has ended and all that came before is taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._end is not None, timeout)
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._held = 0
            self.behind = self._full
            self._full = False
            if not data and self._end is not None:
                raise Lost(self._end)
            self._changed.notify_all()
            return data

    def close(self) -> None:
        """End it from any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    def _receive(self) -> None:
        try:
            while data := self._response.read1(self._allowed()):
                with self._changed:
                    self._chunks.append(data)
                    self._held += len(data)
                    self._full = self._held >= self._bound()
                    self._changed.notify_all()
            end = "closed by the server"
        except TimeoutError:
            end = f"silent for {self._silence:g} s"
        except (OSError, http.client.HTTPException, ValueError) as error:
            end = "closed" if self._closed else f"broken: {_reason(error)}"
        self._response.close()
        self._socket.close()
        with self._changed:
            self._end = end
            self._changed.notify_all()

    def _allowed(self) -> int:
        """How many bytes may be received next, once any may."""
        with self._changed:
            self._changed.wait_for(lambda: self._held < self._bound() or self._closed)
            return min(max(self._bound() - self._held, 1), _CHUNK)

    def _bound(self) -> int:
        return min(self._room(), BUFFER)

    def _refused(self) -> Refused:
        try:
            body = self._response.read(_BODY)
        except (OSError, http.client.HTTPException):
            body = b""
        finally:
            self._response.close()
            self._socket.close()
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Refused(self._response.status, headers, body)


def _ask(url: str, headers: Mapping[str, str], connect: float) -> tuple[socket.socket, http.client.HTTPResponse]:
    parts = urlsplit(url)
    asking = connection(url, connect)
    asking.connect()
    sock = asking.sock
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    asking.request("GET", target, headers={"Accept-Encoding": "identity", **headers})
    return sock, asking.getresponse()


def _unbounded() -> int:
    return BUFFER


def _reason(error: Exception) -> str:
    """What went wrong; of a ValueError its name alone, since it may quote the header that it finds wrong."""
    return type(error).__name__ if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
