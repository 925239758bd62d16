"""Structured logs: one JSON object a line on stderr, an event with its fields. Repeated events are counted."""

import contextlib
import json
import logging
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

import orjson

from postrank.posts.times import to_text

_EVENTS = 1000  # so many events are remembered before old ones are forgotten


class JsonLines(logging.Formatter):
    """`{"at", "level", "event", "logger", ...fields}`; fields come through `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "at": to_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(row, default=str).decode()
        except TypeError:  # text that is none, such as half a surrogate pair in a file's name
            return json.dumps(row, default=str)


@dataclass(slots=True)
class _Window:
    """The records of one event since `began` (monotonic seconds)."""

    began: float
    written: int = 0
    left_out: int = 0


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes each event at most `burst` times in `seconds`, then a line with how many more there were."""

    def __init__(self, stream: TextIO | None = None, *, burst: int = 10, seconds: float = 60.0) -> None:
        super().__init__(stream)
        self._burst = burst
        self._seconds = seconds
        self._windows: dict[tuple[str, int, str], _Window] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it."""
        event = (record.name, record.levelno, str(record.msg))
        now = time.monotonic()
        window = self._windows.get(event)
        if window is None or now - window.began >= self._seconds:
            self._summarize(event)
            self._forget_old(now)
            window = self._windows[event] = _Window(now)
        if window.written < self._burst:
            window.written += 1
            super().emit(record)
            return
        window.left_out += 1
        if window.left_out == 1:
            timer = threading.Timer(self._seconds - (now - window.began), self._end_window, (event, window))
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        """Write what was counted and not written yet."""
        with contextlib.suppress(ValueError):  # the stream is closed already
            for event, window in list(self._windows.items()):
                self._end_window(event, window)
        super().close()

    def _end_window(self, event: tuple[str, int, str], window: _Window) -> None:
        with self.lock or contextlib.nullcontext():
            if self._windows.get(event) is window:
                self._summarize(event)

    def _summarize(self, event: tuple[str, int, str]) -> None:
        window = self._windows.pop(event, None)
        if window is None or not window.left_out:
            return
        name, level, message = event
        record = logging.LogRecord(name, level, "", 0, message, None, None)
        record.fields = {"repeated": window.left_out, "within_seconds": round(time.monotonic() - window.began)}
        super().emit(record)

    def _forget_old(self, now: float) -> None:
        if len(self._windows) > _EVENTS:
            self._windows = {
                event: window
                for event, window in self._windows.items()
                if window.left_out or now - window.began < self._seconds
            }


def configure(level: str = "INFO") -> None:
    """Send all logs of this process to stderr as JSON lines, also of what nobody caught."""
    handler = LimitedHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("botocore", "urllib3", "httpx", "httpcore", "websockets"):  # they show URLs, headers, credentials
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.excepthook = lambda *details: _uncaught("crashed", details[1])
    threading.excepthook = lambda details: _uncaught(
        f"thread {getattr(details.thread, 'name', '?')} died", details.exc_value
    )


def _uncaught(event: str, error: BaseException | None) -> None:
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        logging.getLogger(__name__).critical(event, exc_info=error)
