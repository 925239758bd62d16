"""The call log: one JSON line for each permission that each call needed, in the order in which calls were answered.

Keys: time (of the decision), service, action, resource, principal, decision ("allowed" or "denied"), enforced, status
(HTTP, of the answer), source ("external", or the service that called), request_id.
"""

import threading
from pathlib import Path
from typing import Any

import orjson


class CallLog:
    """Appends to a file, if there is one to append to. Safe to use from any thread."""

    def __init__(self, path: Path | None) -> None:
        self._turn = threading.Lock()
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0) if path else None

    def write(self, **fields: Any) -> None:
        """Add a line."""
        if self._file is None:
            return
        line = orjson.dumps(fields) + b"\n"
        with self._turn:
            if not self._file.closed:
                self._file.write(line)

    def close(self) -> None:
        with self._turn:
            if self._file is not None:
                self._file.close()
