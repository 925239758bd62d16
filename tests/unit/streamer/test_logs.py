"""A log that repeats itself: the first lines are written, the rest are counted."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from localaws.testing.waiting import wait_for
from postrank.streamer.telemetry.logs import JsonLines, LimitedHandler


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.Logger("postrank.test")  # noqa: LOG001 (none that other tests could find)
    yield logger
    for handler in logger.handlers:
        handler.close()


def limited(log: logging.Logger, stream: io.StringIO, seconds: float) -> LimitedHandler:
    handler = LimitedHandler(stream, burst=3, seconds=seconds)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    return handler


def rows(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_repeated_event_is_written_a_few_times_and_then_counted(log: logging.Logger, stream: io.StringIO) -> None:
    handler = limited(log, stream, 600)
    for number in range(1000):
        log.warning("report not written", extra={"fields": {"number": number}})
    assert [row["number"] for row in rows(stream)] == [0, 1, 2]
    handler.close()
    assert len(rows(stream)) == 4
    summary = rows(stream)[-1]
    assert (summary["event"], summary["level"], summary["repeated"]) == ("report not written", "warning", 997)


def test_the_count_is_written_when_the_time_is_over_without_another_line(
    log: logging.Logger, stream: io.StringIO
) -> None:
    limited(log, stream, 0.5)
    for _ in range(10):
        log.error("refused")
    wait_for(lambda: any("repeated" in row for row in rows(stream)), timeout=30, what="the count")
    written = [row for row in rows(stream) if "repeated" not in row]
    assert len(written) + sum(row.get("repeated", 0) for row in rows(stream)) == 10


def test_other_events_and_levels_are_not_held_back(log: logging.Logger, stream: io.StringIO) -> None:
    handler = limited(log, stream, 600)
    for _ in range(5):
        log.info("read")
    log.warning("read")
    log.info("gap")
    handler.close()
    events = [(row["event"], row["level"]) for row in rows(stream) if "repeated" not in row]
    assert events == [("read", "info")] * 3 + [("read", "warning"), ("gap", "info")]
    assert [row["repeated"] for row in rows(stream) if "repeated" in row] == [2]


def test_events_without_end_do_not_take_memory_without_end(log: logging.Logger, stream: io.StringIO) -> None:
    handler = limited(log, stream, 0.0)
    for number in range(5000):
        log.info(f"dynamic {number}")
    assert len(handler._windows) <= 1001
