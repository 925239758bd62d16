"""Literals, with the types that Trino reads them as."""

import re
from datetime import UTC, date, datetime, timedelta

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.python.clocks import zone, zone_name
from localaws.services.athena.sql.trino.types import (
    BIGINT,
    DATE,
    DOUBLE,
    INTEGER,
    INTEGERS,
    JSON,
    NUMBERS,
    VARBINARY,
    Type,
    decimal,
    timestamp,
    varchar,
)
from localaws.services.athena.sql.values.arithmetic import DAYS, MONTHS
from localaws.services.athena.sql.values.casting import cast
from localaws.services.athena.sql.values.values import Value, text

SIGNED = (*NUMBERS, "interval day to second", "interval year to month")
EXTRACTED = (
    "year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "dow", "day_of_year", "doy",
    "year_of_week", "yow", "hour", "minute", "second", "timezone_hour", "timezone_minute",
)  # fmt: skip
_MOST_DIGITS = 38
_TIMESTAMP = re.compile(
    r"\s*(?P<date>[+-]?\d{4,}-\d{1,2}-\d{1,2})(?: (?P<time>\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(?P<part>\d{1,12}))?)?))?"
    r"(?:\s?(?P<zone>[A-Za-z+-].*?))?\s*"
)
_MILLISECONDS = {"day": 86400000, "hour": 3600000, "minute": 60000, "second": 1000}


def string(value: str) -> Value:
    return Value(text(value), varchar(len(value)), constant=value)


def binary(digits: str) -> Value:
    return Value(f"unhex('{digits}')", VARBINARY)


def number(digits: str, kind: str, place: tuple[int, int]) -> Value:
    """A number as it is written: integer, bigint, decimal of its digits, or double."""
    if kind == "integer":
        value = int(digits)
        if -(2**31) <= value < 2**31:
            # The engine reads the smallest integer as a bigint that is negated.
            sql = f"cast({value} as INTEGER)" if value == -(2**31) else _signed(str(value))
            return Value(sql, INTEGER, constant=value)
        if -(2**63) <= value < 2**63:
            return Value(f"cast({value} as BIGINT)", BIGINT, constant=value)
        shown = digits.lstrip("-")
        raise QueryFailed("INVALID_LITERAL", f"line {place[0]}:{place[1]}: Invalid numeric literal: {shown}")
    if kind == "double":
        return Value(f"cast({text(digits)} as DOUBLE)", DOUBLE, constant=digits)
    whole, _, part = digits.lstrip("-").partition(".")
    whole = whole.lstrip("0")
    precision = max(len(whole) + len(part), 1)
    if precision > _MOST_DIGITS:
        raise QueryFailed("INVALID_LITERAL", f"line {place[0]}:{place[1]}: Invalid decimal literal: {digits}")
    target = decimal(precision, len(part))
    sign = "-" if digits.startswith("-") else ""
    return Value(f"cast({text(f'{sign}{whole or 0}.{part}')} as {target.duckdb})", target, constant=digits)


def _signed(digits: str) -> str:
    return f"({digits})" if digits.startswith("-") else digits


def typed(value: str, kind: Type, place: tuple[int, int]) -> Value:
    """A literal that names its type. Raises QueryFailed INVALID_LITERAL."""
    match kind.name:
        case "date":
            return _date(value, place)
        case "timestamp" | "timestamp with time zone":
            return _timestamp(value, place)
        case "time":
            return _time(value, place)
        case "decimal":
            if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", value):
                raise _invalid(value, place)
            return number(value.lstrip("+") if "." in value else f"{value.lstrip('+')}.", "decimal", place)
        case "json":
            return Value(f"py_json_parse({text(value)})", JSON)
        case "varchar" | "char" | "uuid" | "boolean" | "double" | "real" | "varbinary":
            return cast(string(value), kind, place)
    if kind.name in INTEGERS:
        return cast(string(value), kind, place)
    raise not_supported(f"A literal of type {kind}")


def _invalid(value: str, place: tuple[int, int]) -> QueryFailed:
    return QueryFailed("INVALID_LITERAL", f"line {place[0]}:{place[1]}: '{value}' is not a valid literal of its type")


def _date(value: str, place: tuple[int, int]) -> Value:
    try:
        moment = date(*(int(part) for part in value.strip().split("-")))
    except (ValueError, TypeError) as error:
        raise _invalid(value, place) from error
    return Value(f"cast('{moment.isoformat()}' as DATE)", DATE, constant=value)


def _timestamp(value: str, place: tuple[int, int]) -> Value:
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        raise _invalid(value, place)
    precision = len(match["part"] or "")
    named = match["zone"]
    kind = timestamp(precision, zoned=named is not None, zone=zone_name(named) if named else "")
    try:
        day = date(*(int(part) for part in match["date"].split("-")))
        clock = [float(part) for part in (match["time"] or "0:0").split(":")]
        if clock[0] > 23 or clock[1] > 59 or (len(clock) > 2 and clock[2] >= 60):
            raise ValueError(value)
    except ValueError as error:
        raise _invalid(value, place) from error
    local = f"cast('{day.isoformat()} {_padded(match['time'] or '0:0')}' as TIMESTAMP)"
    if named is None or kind.zone == "UTC":
        return Value(local, kind, constant=value)
    if _is_skipped(day, match["time"] or "0:0", kind.zone):
        raise _invalid(value, place)
    return Value(f"a_from_local({local}, {text(kind.zone)})", kind, constant=value)


def _is_skipped(day: date, clock: str, name: str) -> bool:
    """Whether a zone's clocks never show the time, because they are put forward over it."""
    hour, minute = (int(part) for part in clock.split(":")[:2])
    local = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a wall clock, whose zone comes next
    return local.replace(tzinfo=zone(name)).astimezone(UTC).astimezone(zone(name)).replace(tzinfo=None) != local


def _padded(clock: str) -> str:
    parts = clock.split(":")
    return ":".join(part.zfill(2) if "." not in part else part.zfill(part.index(".")) for part in [*parts, "00"][:3])


def _time(value: str, place: tuple[int, int]) -> Value:
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?", value.strip())
    if match is None:
        raise _invalid(value, place)
    try:
        moment = datetime(2000, 1, 1, int(match[1]), int(match[2]), int(match[3] or 0))  # noqa: DTZ001 - a clock's time
    except ValueError as error:
        raise _invalid(value, place) from error
    part = match[4] or ""
    clock = moment.strftime("%H:%M:%S") + (f".{part}" if part else "")
    return Value(f"cast('{clock}' as TIME)", Type("time", (len(part),)))


def interval(value: str, units: tuple[str, str], place: tuple[int, int]) -> Value:
    """INTERVAL 'n' unit, as milliseconds or months."""
    unit, until = units
    sign = -1 if value.startswith("-") else 1
    digits = value.lstrip("+-")
    if unit in ("year", "month"):
        if until == "month":
            parts = re.fullmatch(r"(\d+)-(\d+)", digits)
            if parts is None:
                raise _invalid(value, place)
            return Value(f"({sign * (int(parts[1]) * 12 + int(parts[2]))})", MONTHS)
        if not digits.isdigit():
            raise _invalid(value, place)
        return Value(f"({sign * int(digits) * (12 if unit == 'year' else 1)})", MONTHS)
    if until and until != unit:
        return Value(f"cast({sign * _span(digits, unit, until, place)} as BIGINT)", DAYS)
    if not re.fullmatch(r"\d+(\.\d{1,3})?" if unit == "second" else r"\d+", digits):
        raise _invalid(value, place)
    size = round(float(digits) * 1000) if unit == "second" else int(digits) * _MILLISECONDS[unit]
    return Value(f"cast({sign * size} as BIGINT)", DAYS)


def _span(digits: str, unit: str, until: str, place: tuple[int, int]) -> int:
    """DAY TO SECOND and its parts: `1 02:03:04.5`."""
    units = list(_MILLISECONDS)
    names = units[units.index(unit) : units.index(until) + 1]
    parts = re.split(r"[ :]", digits)
    if len(parts) != len(names):
        raise _invalid(digits, place)
    try:
        total = timedelta(0)
        for name, part in zip(names, parts, strict=True):
            total += timedelta(milliseconds=float(part) * _MILLISECONDS[name])
    except ValueError as error:
        raise _invalid(digits, place) from error
    return round(total.total_seconds() * 1000)
