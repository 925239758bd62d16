"""Instants as the networks write them, and as the data contract does: RFC 3339 in UTC with milliseconds."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

import orjson

from postrank.posts.events import Malformed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_X_EPOCH_MS = 1288834974657  # X's ids count milliseconds from here (X Developer Platform, "X IDs")
SNOWFLAKES_SINCE = datetime(2010, 11, 4, 22, tzinfo=UTC)  # when X began to give such ids to posts
_FIRST_SNOWFLAKE = 27_500_000_000  # ids before November 2010 were plain numbers
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


_SHOWN = 40  # characters of a value in a reason
_NO_INSTANT = "no RFC 3339 instant with an offset"


# Posts of one second share their instant: the caches below are hit by most of a busy stream, and cost little where
# they are not.
_CACHED = 4096


def instant(text: object, field: str) -> str:
    """An instant in the contract's form, cut to the millisecond. Raises Malformed, which names the field."""
    moment_text = _instant(text) if type(text) is str else None
    if moment_text is None:
        raise Malformed(f"{field} is missing" if text is None else f"{field} is {_shown(text)}, {_NO_INSTANT}")
    return moment_text


@lru_cache(maxsize=_CACHED)
def _instant(text: str) -> str | None:
    try:
        if len(text) == 24 and text[23] == "Z" and text[10] == "T":
            return to_text(datetime.fromisoformat(text))
        if _RFC_3339.fullmatch(text):
            return to_text(datetime.fromisoformat(text.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        return None  # the right form, and no instant: the 30th of February
    return None


def parse_rfc3339(text: object, field: str) -> datetime:
    """The same as a datetime in UTC."""
    return moment(instant(text, field))


@lru_cache(maxsize=_CACHED)
def moment(text: str) -> datetime:
    """The datetime that the contract's form stands for."""
    return datetime.fromisoformat(text)


def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of the contract's form, negative before it."""
    return _second(text[:19]) * 1000 + int(text[20:23])


@lru_cache(maxsize=_CACHED)
def _second(text: str) -> int:
    return round((datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH).total_seconds())


@lru_cache(maxsize=_CACHED)
def parse_x_v1(text: str) -> str:
    """`Sat Aug 10 11:00:00 +0000 2013`, as Twitter API v1.1 wrote instants (always UTC), in the contract's form.

    Raises Malformed.
    """
    try:
        _, month, day, clock, offset, year = text.split(" ")
        hour, minute, second = clock.split(":")
        if offset != "+0000":
            raise Malformed(f"created_at is {_shown(text)}, not in UTC")
        return to_text(datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC))
    except (ValueError, KeyError, AttributeError, OverflowError) as error:
        raise Malformed(f"created_at is {_shown(text)}, no instant of API v1.1") from error


def from_milliseconds(value: object, field: str) -> str:
    """Milliseconds since 1970 (a number, or its text) in the contract's form. Raises Malformed."""
    try:
        return to_text(EPOCH + timedelta(milliseconds=int(value)))  # type: ignore[call-overload]  # what int() does not take is a TypeError, below
    except (ValueError, TypeError, OverflowError) as error:
        raise Malformed(f"{field} is {_shown(value)}, no number of milliseconds") from error


def snowflake_time(post_id: str) -> datetime | None:
    """When X made an id, to the millisecond; None for ids that carry no time."""
    if not post_id.isdecimal() or len(post_id) > 19 or not _FIRST_SNOWFLAKE <= int(post_id) < 1 << 63:
        return None
    return EPOCH + timedelta(milliseconds=(int(post_id) >> 22) + _X_EPOCH_MS)


@lru_cache(maxsize=_CACHED)
def to_text(moment: datetime) -> str:
    """The contract's form of an aware UTC instant: `2015-02-24T19:35:00.000Z`."""
    text = orjson.dumps(moment, option=orjson.OPT_UTC_Z).decode()  # "...:00Z" or "...:00.123456Z", in quotes
    return text[1:20] + ("." + text[21:24] + "Z" if text[20] == "." else ".000Z")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_EPOCH_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6))  # below the first number: seconds, milliseconds, microseconds
_NUMBER = re.compile(r"\d{9,16}(\.\d+)?")
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?)?( ?UTC| ?GMT)?")
_ANY_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?) ?([+-]\d\d):?(\d\d)?")


def instant_of_any_form(value: object, field: str) -> str:
    """An instant as tables hold them: RFC 3339 with or without a zone (UTC then), API v1.1, seconds since 1970.

    Raises Malformed.
    """
    if type(value) is str:
        result = _any_form(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        result = _from_epoch(float(value))
    elif isinstance(value, datetime):
        result = to_text((value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC))
    else:
        result = None
    if result is None:
        raise Malformed(f"{field} is missing" if value in (None, "") else f"{field} is {_shown(value)}, no instant")
    return result


@lru_cache(maxsize=_CACHED)
def _any_form(text: str) -> str | None:
    if result := _instant(text):
        return result
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text))
    try:
        if match := _ANY_OFFSET.fullmatch(text):
            day, clock, hours, minutes = match.groups()
            return _instant(f"{day}T{clock}{hours}:{minutes or '00'}")
        if _ZONELESS.fullmatch(text):
            naive = datetime.fromisoformat(text.removesuffix("UTC").removesuffix("GMT").strip().upper())
            return to_text(naive.replace(tzinfo=UTC))
        return parse_x_v1(text)
    except (ValueError, OverflowError, Malformed):
        return _from_mail(text)


def _from_mail(text: str) -> str | None:
    """`Sat, 10 Aug 2013 11:00:00 GMT`, as headers have it."""
    try:
        return to_text(parsedate_to_datetime(text).astimezone(UTC)) if "," in text else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _from_epoch(number: float) -> str | None:
    for limit, unit in _EPOCH_UNITS:
        if 0 <= number < limit:
            return to_text(EPOCH + timedelta(milliseconds=int(number * 1000 / unit)))
    return None
