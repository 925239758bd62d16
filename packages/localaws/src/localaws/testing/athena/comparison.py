"""How an engine's answer to a statement compares with Trino's."""

import re
from collections.abc import Sequence
from enum import Enum

Answer = Sequence[Sequence[str | None]] | str  # rows, or an error that begins with its name
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_BRACES = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(r"[()]|\border\s+by\b", re.IGNORECASE)


class Verdict(Enum):
    SAME = "same"
    BOTH_REJECT = "both reject"
    NOT_SUPPORTED = "not supported"
    WRONG = "other rows without a word"
    LAX = "runs, though Trino rejects"
    ERROR = "fails, though Trino runs"


def is_ordered(sql: str) -> bool:
    """Whether the statement itself, and not only a part of it, is sorted."""
    depth = 0
    for match in _TOKEN.finditer(_QUOTED.sub("''", sql)):
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
        elif depth == 0:
            return True
    return False


def _settled(cell: str) -> str:
    """A cell with the entries of its maps, which have no order, sorted."""
    inner = _BRACES.search(cell)
    while inner is not None:
        entries = ", ".join(sorted(inner[1].split(", ")))
        cell = f"{cell[: inner.start()]}\0{entries}\1{cell[inner.end() :]}"
        inner = _BRACES.search(cell)
    return cell


def compare(sql: str, expected: Answer, answer: Answer) -> Verdict:
    """`expected` is Trino's answer. Rows of a statement that is not sorted are compared in any order."""
    if isinstance(answer, str):
        if isinstance(expected, str):
            return Verdict.BOTH_REJECT
        return Verdict.NOT_SUPPORTED if answer.startswith("NOT_SUPPORTED") else Verdict.ERROR
    if isinstance(expected, str):
        return Verdict.LAX
    rows = [[[None if cell is None else _settled(cell) for cell in row] for row in side] for side in (expected, answer)]
    if not is_ordered(sql):
        rows = [sorted(side, key=str) for side in rows]
    return Verdict.SAME if rows[0] == rows[1] else Verdict.WRONG
