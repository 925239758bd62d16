"""Times: Joda's and MySQL's patterns, zones, intervals as text."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.python.failing import failed

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1000.0, "m": 60000.0, "h": 3600000.0, "d": 86400000.0}


def zone(name: str) -> tzinfo:
    """A zone by name or offset. Raises ValueError INVALID_FUNCTION_ARGUMENT."""
    match = _OFFSET.fullmatch(name)
    if match:
        span = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-span if match[1] == "-" else span)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid time zone") from error


def zone_name(name: str) -> str:
    """A zone as Trino shows it. Raises QueryFailed INVALID_FUNCTION_ARGUMENT for an unknown one."""
    offset = re.fullmatch(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d\d))?", name)
    if offset:
        hours = int(offset[2])
        minutes = int(offset[3] or 0)
        return "UTC" if hours == minutes == 0 else f"{offset[1]}{hours:02}:{minutes:02}"
    if name.lower() in ("utc", "z", "gmt", "etc/utc", "ut", "greenwich", "zulu"):
        return "UTC"
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid time zone") from error


def known_zone(name: str) -> str | None:
    """A zone as Trino shows it; null where there is none of the name."""
    try:
        return zone_name(name)
    except QueryFailed:
        return None


@lru_cache(maxsize=256)
def runs(pattern: str) -> tuple[tuple[str, str], ...]:
    """A Joda pattern as runs of one letter, and literals (with an empty letter)."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "'":
            if pattern[at : at + 2] == "''":
                parts.append(("", "'"))
                at += 2
                continue
            end = at + 1
            text = ""
            while end < len(pattern) and (pattern[end] != "'" or pattern[end : end + 2] == "''"):
                text += pattern[end]
                end += 2 if pattern[end : end + 2] == "''" else 1
            parts.append(("", text))
            at = end + 1
        elif sign.isascii() and sign.isalpha():
            run = len(pattern) - at - len(pattern[at:].lstrip(sign))
            parts.append((sign, sign * run))
            at += run
        else:
            parts.append(("", sign))
            at += 1
    return tuple(parts)


def joda_format(moment: datetime, pattern: str, name: str | None) -> str:
    """format_datetime."""
    return "".join(run if not letter else _shown(letter, len(run), moment, name) for letter, run in runs(pattern))


def _shown(letter: str, width: int, moment: datetime, name: str | None) -> str:
    year, week, day = moment.isocalendar()
    numbers = {
        "d": moment.day, "H": moment.hour, "h": moment.hour % 12 or 12, "K": moment.hour % 12, "k": moment.hour or 24,
        "m": moment.minute, "s": moment.second, "D": moment.timetuple().tm_yday, "e": day, "w": week,
        "C": moment.year // 100,
    }  # fmt: skip
    if letter in numbers:
        return str(numbers[letter]).zfill(width)
    match letter:
        case "y" | "Y" | "x":
            value = year if letter == "x" else moment.year
            return f"{value % 100:02}" if width == 2 else str(value).zfill(width)
        case "M":
            return (
                str(moment.month).zfill(width) if width < 3 else _MONTHS[moment.month - 1][: 3 if width == 3 else None]
            )
        case "E":
            return _DAYS[day - 1][: 3 if width < 4 else None]
        case "a":
            return "AM" if moment.hour < 12 else "PM"
        case "G":
            return "AD"
        case "S":
            return f"{moment.microsecond // 1000:03}"[:width].ljust(width, "0")
    if letter in "Zz" and name is not None:
        return _zone_shown(letter, width, moment, name)
    if letter in "Zz":
        raise failed(
            "INVALID_FUNCTION_ARGUMENT",
            "format_datetime for TIMESTAMP type, cannot use 'Z' nor 'z' in format, as this type does not contain TZ"
            " information",
        )
    raise failed("INVALID_FUNCTION_ARGUMENT", f"Illegal pattern component: {letter * width}")


def _zone_shown(letter: str, width: int, moment: datetime, name: str) -> str:
    placed = moment.replace(tzinfo=zone(name))
    if letter == "z":
        if _OFFSET.fullmatch(name):
            return name
        if width > 3:
            raise ValueError(str(not_supported("The long name of a zone")))
        return placed.tzname() or name
    if width > 2:
        return name
    offset = placed.strftime("%z") or "+0000"
    return offset[:3] + (":" if width == 2 else "") + offset[3:5]


def joda_parse(text: str, pattern: str) -> str:
    """parse_datetime: microseconds since 1970, a bar, and the zone's name."""
    fields: dict[str, str] = {}
    expression, letters = _expression(pattern)
    match = re.fullmatch(expression, text, re.IGNORECASE)
    if match is None:
        raise failed("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{text}"')
    for number, letter in enumerate(letters, start=1):
        fields[letter] = match[number]
    name = _parsed_zone(fields.get("Z") or fields.get("z") or "UTC")
    try:
        moment = _moment(fields)
    except ValueError as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f'Cannot parse "{text}": {error}') from error
    instant = moment.replace(tzinfo=zone(name))
    return f"{(instant - _EPOCH) // timedelta(microseconds=1)}|{name}"


@lru_cache(maxsize=256)
def _expression(pattern: str) -> tuple[str, tuple[str, ...]]:
    parts = []
    letters = []
    listed = runs(pattern)
    for number, (letter, run) in enumerate(listed):
        if not letter:
            parts.append(re.escape(run))
            continue
        letters.append(letter)
        adjoined = number + 1 < len(listed) and listed[number + 1][0] != "" and listed[number + 1][0] not in "aEZz"
        parts.append(f"({_piece(letter, len(run), adjoined=adjoined)})")
    return "".join(parts), tuple(letters)


def _piece(letter: str, width: int, *, adjoined: bool) -> str:
    match letter:
        case "y" | "Y" | "x":
            return rf"[+-]?\d{{{width}}}" if adjoined else r"[+-]?\d{1,9}" if width != 2 else r"\d{2}|[+-]?\d+"
        case "M" if width > 2:
            return "|".join(name[:3] + f"(?:{name[3:]})?" for name in _MONTHS)
        case "E":
            return "|".join(name[:3] + f"(?:{name[3:]})?" for name in _DAYS)
        case "a":
            return "AM|PM"
        case "S":
            return r"\d{1,9}" if not adjoined else rf"\d{{{width}}}"
        case "Z":
            return r"[+-]\d\d:?\d\d|Z|[A-Za-z]+(?:/[\w+-]+)*"
        case "z":
            return r"[+-]\d\d:?\d\d|[A-Za-z]+(?:/[\w+-]+)*"
    if letter in "dHhKkmsMDew":
        return rf"\d{{{width}}}" if adjoined else r"\d{1,3}" if letter == "D" else r"\d{1,2}"
    raise failed("INVALID_FUNCTION_ARGUMENT", f"Illegal pattern component: {letter * width}")


def _moment(fields: dict[str, str]) -> datetime:
    year = int(fields.get("y") or fields.get("Y") or fields.get("x") or 1970)
    if len(fields.get("y", "1970")) == 2:
        year += 2000 if year < 70 else 1900
    month = fields.get("M", "1")
    number = int(month) if month.isdigit() else [name[:3].lower() for name in _MONTHS].index(month[:3].lower()) + 1
    hour = int(fields.get("H") or int(fields.get("k", "0")) % 24)
    if "h" in fields or "K" in fields:
        hour = int(fields.get("h") or fields.get("K") or 0) % 12 + (12 if fields.get("a", "AM").upper() == "PM" else 0)
    part = (fields.get("S", "0") + "000")[:3]
    if "D" in fields and "M" not in fields:
        start = datetime(year, 1, 1, hour, int(fields.get("m", 0)), int(fields.get("s", 0)), int(part) * 1000)  # noqa: DTZ001
        return start + timedelta(days=int(fields["D"]) - 1)
    return datetime(  # noqa: DTZ001 - a wall clock, whose zone comes next
        year, number, int(fields.get("d", 1)), hour, int(fields.get("m", 0)), int(fields.get("s", 0)), int(part) * 1000
    )


def _parsed_zone(name: str) -> str:
    if name in ("Z", "UTC", "GMT", "+0000", "+00:00"):
        return "UTC"
    match = _OFFSET.fullmatch(name)
    return f"{match[1]}{match[2]}:{match[3]}" if match else zone_name(name)


def mysql_format(moment: datetime, pattern: str) -> str:
    """date_format with a pattern that is no literal."""
    return re.sub(r"%(.)", lambda match: _mysql(match[1], moment), pattern)


def _mysql(letter: str, moment: datetime) -> str:
    year, week, day = moment.isocalendar()
    values = {
        "a": _DAYS[day - 1][:3], "b": _MONTHS[moment.month - 1][:3], "c": str(moment.month), "d": f"{moment.day:02}",
        "e": str(moment.day), "f": f"{moment.microsecond:06}", "H": f"{moment.hour:02}",
        "h": f"{moment.hour % 12 or 12:02}", "I": f"{moment.hour % 12 or 12:02}", "i": f"{moment.minute:02}",
        "j": f"{moment.timetuple().tm_yday:03}", "k": str(moment.hour), "l": str(moment.hour % 12 or 12),
        "M": _MONTHS[moment.month - 1], "m": f"{moment.month:02}", "p": "AM" if moment.hour < 12 else "PM",
        "S": f"{moment.second:02}", "s": f"{moment.second:02}", "T": moment.strftime("%H:%M:%S"), "v": f"{week:02}",
        "W": _DAYS[day - 1], "x": f"{year:04}", "Y": f"{moment.year:04}", "y": f"{moment.year % 100:02}", "%": "%",
        "r": f"{moment.hour % 12 or 12:02}:{moment.minute:02}:{moment.second:02} {'AM' if moment.hour < 12 else 'PM'}",
    }  # fmt: skip
    if letter in "DUuVwX":
        raise failed("INVALID_FUNCTION_ARGUMENT", f"%{letter} not supported in date format string")
    return values.get(letter, letter)


_PARSED = {"i": "%M", "c": "%m", "k": "%H", "s": "%S", "l": "%I", "T": "%H:%M:%S"}


def mysql_parse(text: str, pattern: str) -> datetime:
    """date_parse with a pattern that is no literal."""
    try:
        form = re.sub(r"%([ickslT])", lambda match: _PARSED[match[1]], pattern)
        return datetime.strptime(text, form)  # noqa: DTZ007 - a wall clock
    except ValueError as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{text}"') from error


def days_text(value: int) -> str:
    """An interval of milliseconds: `2 00:30:00.000`."""
    sign = "-" if value < 0 else ""
    seconds, part = divmod(abs(value), 1000)
    days, rest = divmod(seconds, 86400)
    return f"{sign}{days} {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{part:03}"


def months_text(value: int) -> str:
    """An interval of months: `1-2`."""
    return f"{'-' if value < 0 else ''}{abs(value) // 12}-{abs(value) % 12}"


def duration(text: str) -> int:
    """parse_duration: milliseconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", text)
    if match is None or match[2] not in _UNITS:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"duration is not a valid data duration string: {text}")
    return round(float(match[1]) * _UNITS[match[2]])
