"""Text turned into the values of columns, as the SerDes of delimited text do it: what does not fit is null."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from localaws.services.athena.sql.trino.hive_types import HiveType

_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
_WHOLE = re.compile(r"([+-]?)(?=.)(\d*)(?:\.\d*)?", re.ASCII)
_FLOATING = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")
_CLOCK = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})[ T](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?")


def value(text: str, kind: HiveType) -> object:
    """A scalar column's value; null where the text spells none."""
    return _READERS[kind.name](text, kind)


def shortened(text: str, kind: HiveType) -> str:
    """Text of varchar and char, cut to their length."""
    if kind.size and kind.name in ("varchar", "char"):
        text = text[: kind.size[0]]
    return text.rstrip(" ") if kind.name == "char" else text


def _integer(text: str, kind: HiveType) -> int | None:
    match = _WHOLE.fullmatch(text)  # digits after a point are cut
    if match is None:
        return None
    number = int(f"{match[1]}{match[2] or 0}")
    limit = 1 << (_BITS[kind.name] - 1)
    return number if -limit <= number < limit else None


def _floating(text: str, _: HiveType) -> float | None:
    stripped = text.strip()
    return (
        float(stripped.rstrip("dDfF") if stripped[-1:] in "dDfF" else stripped)
        if _FLOATING.fullmatch(stripped)
        else None
    )


def _decimal(text: str, kind: HiveType) -> Decimal | None:
    precision, scale = (*kind.size, 0)[:2] if kind.size else (10, 0)
    try:
        number = Decimal(text if _NUMBER.fullmatch(text) else "NaN")
        number = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() < precision - scale else None


def _boolean(text: str, _: HiveType) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _date(text: str, _: HiveType) -> date | None:
    """A day beyond the end of its month is one of the next, as a month beyond the end of its year is."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    months = int(match[1]) * 12 + int(match[2]) - 1
    try:
        return date(months // 12, months % 12 + 1, 1) + timedelta(days=int(match[3]) - 1)
    except (ValueError, OverflowError):
        return None


def _timestamp(text: str, _: HiveType) -> datetime | None:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    try:
        day = datetime.strptime(match[1], "%Y-%m-%d")  # noqa: DTZ007 - a wall clock
        hour, minute, second = (int(match[number] or 0) for number in (2, 3, 4))
        moment = day.replace(hour=hour, minute=minute, second=second)
    except ValueError:
        return None
    return moment + timedelta(milliseconds=round(int((match[5] or "0").ljust(9, "0")) / 1e6))


def _binary(text: str, _: HiveType) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


_READERS: Mapping[str, Callable[[str, HiveType], object]] = {
    **dict.fromkeys(_BITS, _integer),
    **dict.fromkeys(("float", "double"), _floating),
    **dict.fromkeys(("string", "varchar", "char"), shortened),
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "binary": _binary,
}
