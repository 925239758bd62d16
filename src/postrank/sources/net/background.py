"""Doing something that may block (a connection, a request) aside, while the stream of batches shows signs of life."""

import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from postrank.sources import Batch
from postrank.sources.net.backoff import TICK

T = TypeVar("T")


class Work(threading.Thread, Generic[T]):
    """A thread, started, that keeps what its function returned or raised."""

    def __init__(self, function: Callable[[], T]) -> None:
        super().__init__(name="source-work", daemon=True)
        self._function = function
        self.result: T | None = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = error


def aside(work: Callable[[], T], stopped: threading.Event, *, heard: bool = False) -> Generator[Batch, None, T | None]:
    """Run `work` in a thread; yields empty batches meanwhile, returns what it returned, raises what it raised.

    Returns None when stopped first: the work is then left to end by itself.
    """
    if stopped.is_set():
        return None
    thread = Work(work)
    while True:
        thread.join(TICK / 5)
        if not thread.is_alive():
            break
        if stopped.is_set():
            return None
        yield Batch(cursor=None, heard=heard)
    if thread.error is not None:
        raise thread.error
    return thread.result
