"""MySQL's and Joda's patterns of dates, as the engine's strftime has them."""

import re

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.python.clocks import runs

# MySQL's letters (date_format, date_parse) that strftime spells otherwise or not at all.
_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "Y": "%Y", "y": "%y", "%": "%%", "x": "%G",
}  # fmt: skip
_MYSQL_REFUSED = "DUuVwX"  # known to MySQL, not to Trino; any other letter stands for itself
# Joda's pattern letters (format_datetime, parse_datetime).
_JODA = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d", "HH": "%H",
    "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "a": "%p",
    "EEE": "%a", "EEEE": "%A", "DDD": "%j",
}  # fmt: skip


def mysql_format(letters: str) -> str:
    """A strftime pattern for one of date_format's. Raises QueryFailed for letters that are not supported."""
    out = ""
    at = 0
    while at < len(letters):
        if letters[at] != "%":
            out = out + letters[at]
            at = at + 1
            continue
        letter = letters[at + 1 : at + 2]
        if letter not in _MYSQL and letter not in _MYSQL_REFUSED:
            out = out + letter
            at = at + 2
            continue
        if letter not in _MYSQL:
            raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"%{letter} not supported in date format string")
        out = out + _MYSQL[letter]
        at = at + 2
    return out


def default_year(letters: str) -> int | None:
    """The year of what date_parse reads with a pattern that has none: a leap year for a date, 1970 for a time."""
    present = set(re.findall(r"%(.)", letters))
    if present & set("Yyx"):
        return None
    return 2000 if present & set("bcdejMmaWv") else 1970


def joda_format(pattern: str) -> str:
    """A strftime pattern for a Joda pattern."""
    out = ""
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "'":
            end = pattern.find("'", at + 1)
            out = out + (pattern[at + 1 : end] or "'").replace("%", "%%")
            at = end + 1
        elif sign.isalpha():
            run = len(pattern) - at - len(pattern[at:].lstrip(sign))
            letters = sign * run
            if letters not in _JODA:
                raise not_supported(f"The date pattern {letters}")
            out = out + _JODA[letters]
            at = at + run
        else:
            out = out + sign.replace("%", "%%")
            at = at + 1
    return out


def plain_joda(pattern: str) -> str | None:
    """The strftime pattern, or None where a letter has none."""
    try:
        return joda_format(pattern)
    except QueryFailed:
        return None


def names_zone(pattern: str) -> bool:
    """Whether a Joda pattern has a letter for the zone."""
    return any(letter in ("Z", "z") for letter, _ in runs(pattern))
