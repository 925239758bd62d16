"""Waiting for a condition, with a deadline: what tests do instead of sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from localaws.testing.patience import patient

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T | None], *, timeout: float = 60.0, what: str = "the condition", every: float = 0.05
) -> T:
    """Return the condition's first true value; raise AssertionError naming `what` after `timeout` seconds, which are
    more on a slow machine (`patient`).
    """
    deadline = time.monotonic() + patient(timeout)
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {patient(timeout):g} s for {what}; last value {value!r}")
        pause.wait(every)
