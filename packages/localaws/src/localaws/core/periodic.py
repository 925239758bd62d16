"""Work that is done now and then, in a thread of its own, until it is stopped."""

import threading
from collections.abc import Callable


class Periodic:
    """Calls `action` every `seconds`; a function of seconds is asked before each wait."""

    def __init__(self, name: str, action: Callable[[], None], seconds: float | Callable[[], float]) -> None:
        self._action = action
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the action is at rest. May be called without a start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def started(self) -> bool:
        return self._thread.ident is not None

    def _run(self) -> None:
        while not self._stopping.wait(self._pause()):
            self._action()

    def _pause(self) -> float:
        return self._seconds() if callable(self._seconds) else self._seconds
