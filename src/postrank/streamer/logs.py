"""Structured logs: one JSON object a line on stderr, an event with its fields."""

import logging
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
        return orjson.dumps(row, default=str).decode()


def configure(level: str = "INFO") -> None:
    """Send all logs of this process to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("botocore", "urllib3", "httpx", "httpcore", "websockets"):  # they show URLs, headers, credentials
        logging.getLogger(chatty).setLevel(logging.WARNING)
