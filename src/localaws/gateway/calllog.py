"""The call log: one JSON line for every call and every authorisation, in the order in which they were decided."""

import threading
from datetime import UTC, datetime
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
        """Add a line: time, service, action, resource, principal, decision, status, source, request_id."""
        if self._file is None:
            return
        line = orjson.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}) + b"\n"
        with self._turn:
            self._file.write(line)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
