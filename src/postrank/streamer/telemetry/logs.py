"""Structured logs: one JSON object a line on stderr, an event with its fields."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

import orjson

from postrank.posts.times import to_text


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


def configure(level: str = "INFO") -> None:
    """Send all logs of this process to stderr as JSON lines, also of what nobody caught."""
    handler = logging.StreamHandler()
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
