"""ISO 8601 dates and times, in all the forms that Joda's parsers take ("from_iso8601_timestamp")."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from localaws.services.athena.sql.python.clocks import zone
from localaws.services.athena.sql.python.failing import failed

_DATE = (
    r"(?P<year>-?\d{1,9})(?:-W(?P<week>\d{1,2})(?:-(?P<weekday>\d))?|-(?P<ordinal>\d{3})"
    r"|-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?"
)
_TIME = (
    r"(?:(?P<hour>\d{1,2})(?:[.,](?P<hours>\d+)|:(?P<minute>\d{1,2})(?:[.,](?P<minutes>\d+)|:(?P<second>\d{1,2})"
    r"(?:[.,](?P<seconds>\d+))?)?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?"
)
_DAY = re.compile(_DATE)
_MOMENT = re.compile(f"(?:{_DATE})?(?:T{_TIME})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def date_text(text: str) -> str:
    """from_iso8601_date: `2024-02-29`."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise _invalid(text)
    return _date(match, text).isoformat()


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[int, str]:
    """Microseconds since 1970, cut to milliseconds, and the zone's name."""
    match = _MOMENT.fullmatch(text)
    if match is None or not text or text == "T":
        raise _invalid(text)
    day = _date(match, text) if match["year"] else date(1970, 1, 1)
    try:
        moment = datetime(  # noqa: DTZ001 - a wall clock, whose zone comes next
            day.year, day.month, day.day, int(match["hour"] or 0), int(match["minute"] or 0), int(match["second"] or 0)
        )
    except ValueError as error:
        raise _unparsable(text, error) from error
    for name, size in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        if match[name]:
            moment += timedelta(milliseconds=int(float(f"0.{match[name]}") * size * 1000 + 1e-6))
    name = _zone_name(match["zone"])
    return (moment.replace(tzinfo=zone(name)) - _EPOCH) // timedelta(microseconds=1), name


def instant(text: str) -> int:
    return _parsed(text)[0]


def zone_of(text: str) -> str:
    return _parsed(text)[1]


def _zone_name(text: str | None) -> str:
    if text in (None, "Z"):
        return "UTC"
    digits = (text or "").replace(":", "").ljust(5, "0")
    return "UTC" if digits[1:] == "0000" else f"{digits[:3]}:{digits[3:]}"


def _date(match: re.Match[str], text: str) -> date:
    year = int(match["year"])
    try:
        if match["week"]:
            return date.fromisocalendar(year, int(match["week"]), int(match["weekday"] or 1))
        if match["ordinal"]:
            day = date(year, 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
            if day.year != year:
                raise ValueError(f"Value {match['ordinal']} for dayOfYear must be in the range [1,365]")
            return day
        return date(year, int(match["month"] or 1), int(match["day"] or 1))
    except ValueError as error:
        raise _unparsable(text, error) from error


def _invalid(text: str) -> ValueError:
    return failed("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{text}"')


def _unparsable(text: str, error: Exception) -> ValueError:
    return failed("INVALID_FUNCTION_ARGUMENT", f'Cannot parse "{text}": {error}')
