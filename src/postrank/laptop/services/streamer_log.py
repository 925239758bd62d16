"""What the streamer's log says is wrong: for a person who waits for posts."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

_TAIL_BYTES = 1 << 16  # what is read of the log's end
_LEVELS = ("warning", "error", "critical")
_NOT_FIELDS = ("at", "level", "event", "logger", "exception")
_ENDED = "postrank: "  # how the message begins with which the command ends
_LONGEST = 300  # characters of a problem


class StreamerLog:
    """The log at a path; it may not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def last_problem(self) -> str:
        """The newest warning, or the message with which the streamer ended; empty if there is none."""
        newest = ""
        is_message = False
        for line in self._lines():
            if is_message and line.startswith(" "):  # a message's further lines are indented
                newest = f"{newest} {line.strip()}"
            elif problem := _problem(line):
                newest = problem
                is_message = line.startswith(_ENDED)
            else:
                is_message = False
        return newest[:_LONGEST]

    def endings(self) -> int:
        """How often the streamer ended with a message, as far as the end of the log tells."""
        return sum(line.startswith(_ENDED) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                yield from file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return


def _problem(line: str) -> str:
    """The problem of one line: of a JSON object with a level, or of a message of the command."""
    if line.startswith(_ENDED):
        return line.removeprefix(_ENDED)
    try:
        row = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(row, dict) or row.get("level") not in _LEVELS:
        return ""
    fields = ", ".join(f"{name} {value}" for name, value in row.items() if name not in _NOT_FIELDS)
    return f"{row.get('event', '')}: {fields}" if fields else str(row.get("event", ""))
