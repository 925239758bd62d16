"""Responses that last for minutes: each has a thread of its own, and all of them end before the server does."""

import threading
from collections.abc import Iterator
from typing import Protocol

LONG_RESPONSES = "localaws.long_responses"  # where a WSGI environment holds them


class Dispatcher(Protocol):
    """Waitress's threads."""

    def set_thread_count(self, count: int) -> None: ...


class LongResponses:
    """Streams bodies in chunks without taking the threads that answer other requests."""

    def __init__(self, dispatcher: Dispatcher, threads: int) -> None:
        """`threads` are those for requests that are answered at once."""
        self._dispatcher = dispatcher
        self._threads = threads
        self._lock = threading.Lock()
        self._running = 0
        self._closing = threading.Event()

    def stream(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """The parts of a body, until the server is closing."""
        self._count(1)
        try:
            for part in parts:
                if self._closing.is_set():
                    return
                if part:
                    yield part
        finally:
            self._count(-1)

    def close(self) -> None:
        """Have every response end at its next part."""
        self._closing.set()

    def _count(self, change: int) -> None:
        with self._lock:
            self._running += change
            if not self._closing.is_set():
                self._dispatcher.set_thread_count(self._threads + self._running)
