"""What the logs of Airflow's tasks say about a failure."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from postrank.documents import Document

_LEVELS = ("error", "critical")
_LONGEST = 500  # characters of an error that are quoted


def last_errors(run: Path, tasks: Iterable[str]) -> list[str]:
    """The last error of each task of the run whose logs are below `run`: `task_id: error`."""
    lines = []
    for task in sorted(set(tasks)):
        logs = sorted((run / f"task_id={task}").rglob("attempt=*.log"), key=lambda log: log.stat().st_mtime)
        errors = [error for log in logs for error in _errors(log)]
        if errors:
            lines.append(f"{task}: {errors[-1][:_LONGEST]}")
    return lines


def _errors(log: Path) -> Iterator[str]:
    """The errors of one log, which holds a JSON object a line."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") in _LEVELS:
            yield _sentence(entry)


def _sentence(entry: Document) -> str:
    """The event, and the exception that caused it."""
    causes = entry.get("error_detail") or [{}]
    cause = causes[0]
    if not cause.get("exc_type"):
        return str(entry.get("event", ""))
    return f"{entry.get('event', '')}: {cause['exc_type']}: {cause.get('exc_value', '')}"
