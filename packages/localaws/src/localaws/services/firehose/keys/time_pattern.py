"""Java DateTimeFormatter patterns, as far as S3 prefixes use them: digits, names, quotes."""

import re
from collections.abc import Callable
from datetime import datetime

_TOKEN = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'")

# "Patterns for Formatting and Parsing" (java.time.format.DateTimeFormatter): the letters that have plain numbers.
_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "M": lambda moment: moment.month,
    "L": lambda moment: moment.month,
    "d": lambda moment: moment.day,
    "D": lambda moment: moment.timetuple().tm_yday,
    "H": lambda moment: moment.hour,
    "k": lambda moment: moment.hour or 24,
    "K": lambda moment: moment.hour % 12,
    "h": lambda moment: moment.hour % 12 or 12,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
}
_YEARS = "yu"
_NAMES = {
    "M": ("%B", "%b"),
    "L": ("%B", "%b"),
    "E": ("%A", "%a"),
    "a": ("%p", "%p"),
}  # as strftime has them: full, short


def check(pattern: str) -> None:
    """Raises ValueError, saying why, for a pattern that `render` cannot follow."""
    for match in _TOKEN.finditer(pattern):
        text = match.group()
        letter = match.group(1)
        if text == "'":
            raise ValueError(f"{pattern!r} has a quote that is not closed")
        if letter and letter not in _YEARS + "S" and letter not in _NAMES and letter not in _NUMBERS:
            raise ValueError(f"{pattern!r} has the letter {letter!r}, which is not supported")


def render(pattern: str, moment: datetime) -> str:
    """The moment written by the pattern, in the moment's own zone."""
    return "".join(_render(match.group(), match.group(1), moment) for match in _TOKEN.finditer(pattern))


def _render(text: str, letter: str | None, moment: datetime) -> str:
    if letter is None:
        return _literal(text)
    width = len(text)
    if letter in _YEARS:
        return f"{moment.year % 100:02d}" if width == 2 else f"{moment.year:0{width}d}"
    if letter == "S":
        return f"{moment.microsecond:06d}000"[:width].ljust(width, "0")
    if letter in _NAMES and (letter not in _NUMBERS or width > 2):
        full, short = _NAMES[letter]
        return moment.strftime(full if width == 4 else short)
    return f"{_NUMBERS[letter](moment):0{width}d}"


def _literal(text: str) -> str:
    if not text.startswith("'"):
        return text
    return "'" if text == "''" else text[1:-1].replace("''", "'")
