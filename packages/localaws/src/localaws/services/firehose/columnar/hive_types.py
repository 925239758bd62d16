"""Hive types of the Glue catalog as Arrow types, and JSON values as values of them.

Source of the rules: "Convert input data format" (Data Firehose), which lists the forms of times that its OpenX
deserializer reads.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache

import pyarrow as pa

from localaws.core.shapes import Json

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARGUMENTS = re.compile(r"\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_INTEGERS = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
}
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z?")
_SECONDS_DIGITS = 11  # an epoch with more digits before the point is in milliseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Read = Callable[[Json], Json]


class Unfit(ValueError):
    """A value that its column's type cannot hold."""


class InvalidSchema(ValueError):
    """A type that is not one of Hive's."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type of Arrow, and what makes a value of it from a value of JSON (never null). `read` raises Unfit."""

    arrow: pa.DataType
    read: Read


@cache
def column_type(text: str) -> ColumnType:
    """The type that a Glue column names ("struct<a:int,b:array<string>>"). Raises InvalidSchema."""
    parser = _Parser(text.strip())
    parsed = parser.type()
    if parser.at != len(parser.text):
        raise InvalidSchema(f"{text!r} is not a type")
    return parsed


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def type(self) -> ColumnType:
        name = self._word().lower()
        if name == "array":
            (element,) = self._inner(1)
            return ColumnType(
                pa.list_(element.arrow), lambda value: [_read(element, item) for item in _is(value, list)]
            )
        if name == "map":
            key, item = self._inner(2)
            return ColumnType(pa.map_(key.arrow, item.arrow), lambda value: _pairs(key, item, value))
        if name in ("struct", "row"):
            return self._struct()
        arguments = _ARGUMENTS.match(self.text, self.at)
        if arguments:
            self.at = arguments.end()
        return _scalar(name, arguments)

    def _struct(self) -> ColumnType:
        fields: dict[str, ColumnType] = {}
        self._skip("<")
        while True:
            name = re.compile(r"[^:<>,]+").match(self.text, self.at)
            if name is None:
                raise InvalidSchema(f"{self.text!r} is not a type")
            self.at = name.end()
            self._skip(":")
            fields[name[0].strip().lower()] = self.type()
            if self._skip(",", ">") == ">":
                break
        arrow = pa.struct([(name, kind.arrow) for name, kind in fields.items()])
        return ColumnType(arrow, lambda value: structure(fields, _is(value, dict)))

    def _inner(self, count: int) -> list[ColumnType]:
        self._skip("<")
        inner = [self.type()]
        while self._skip(",", ">") == ",":
            inner.append(self.type())
        if len(inner) != count:
            raise InvalidSchema(f"{self.text!r} is not a type")
        return inner

    def _word(self) -> str:
        word = _WORD.match(self.text, self.at + len(self.text[self.at :]) - len(self.text[self.at :].lstrip()))
        if word is None:
            raise InvalidSchema(f"{self.text!r} is not a type")
        self.at = word.end()
        return word[0]

    def _skip(self, *characters: str) -> str:
        while self.text[self.at : self.at + 1] == " ":
            self.at += 1
        character = self.text[self.at : self.at + 1]
        if character not in characters or not character:
            raise InvalidSchema(f"{self.text!r} is not a type")
        self.at += 1
        return character


def structure(fields: Mapping[str, ColumnType], value: Mapping[str, Json]) -> dict[str, Json]:
    """The fields of a JSON object, found in any case. Raises Unfit, which names the field."""
    by_name = {name.lower(): item for name, item in value.items()}
    row: dict[str, Json] = {}
    for name, kind in fields.items():
        try:
            row[name] = _read(kind, by_name.get(name))
        except Unfit as error:
            raise Unfit(f"{name}: {error}") from error
    return row


def _read(kind: ColumnType, value: Json) -> Json:
    return None if value is None else kind.read(value)


def _pairs(key: ColumnType, item: ColumnType, value: Json) -> list[tuple[Json, Json]]:
    return [(key.read(name), _read(item, element)) for name, element in _is(value, dict).items()]


def _scalar(name: str, arguments: "re.Match[str] | None") -> ColumnType:
    if name in _INTEGERS:
        return ColumnType(_INTEGERS[name], _integer(_INTEGERS[name].bit_width))
    if name == "decimal":
        precision, scale = (int(arguments[1]), int(arguments[2] or 0)) if arguments else (10, 0)
        return ColumnType(pa.decimal128(precision, scale), _decimal(precision, scale))
    plain: dict[str, ColumnType] = {
        "string": ColumnType(pa.string(), _text),
        "varchar": ColumnType(pa.string(), _text),
        "char": ColumnType(pa.string(), _text),
        "float": ColumnType(pa.float32(), _double),
        "double": ColumnType(pa.float64(), _double),
        "boolean": ColumnType(pa.bool_(), _boolean),
        "binary": ColumnType(pa.binary(), _binary),
        "timestamp": ColumnType(pa.timestamp("ns"), _timestamp),
        "date": ColumnType(pa.date32(), _date),
    }
    if name not in plain:
        raise InvalidSchema(f"{name!r} is not a type")
    return plain[name]


def _is(value: Json, kind: type) -> Json:
    if not isinstance(value, kind):
        raise Unfit(f"{_shown(value)} is not {'an array' if kind is list else 'an object'}")
    return value


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _integer(bits: int) -> Read:
    def read(value: Json) -> int:
        try:
            number = int(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise Unfit(f"{_shown(value)} is not an integer of {bits} bits")
        return number

    return read


def _double(value: Json) -> float:
    try:
        return float(value if not isinstance(value, bool) else "")
    except (TypeError, ValueError) as error:
        raise Unfit(f"{_shown(value)} is not a number") from error


def _decimal(precision: int, scale: int) -> Read:
    def read(value: Json) -> Decimal:
        try:
            number = Decimal(str(value)).quantize(Decimal(1).scaleb(-scale))
        except InvalidOperation as error:
            raise Unfit(f"{_shown(value)} is not a number") from error
        if number.adjusted() >= precision - scale:
            raise Unfit(f"{_shown(value)} does not fit decimal({precision},{scale})")
        return number

    return read


def _boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Unfit(f"{_shown(value)} is not a boolean")


def _binary(value: Json) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError) as error:
        raise Unfit(f"{_shown(value)} is not base64") from error


def _timestamp(value: Json) -> int:
    """Nanoseconds since the epoch, of a time or an epoch in seconds (with or without a fraction) or milliseconds."""
    if isinstance(value, str) and (match := _TIME.fullmatch(value.strip())):
        try:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError as error:
            raise Unfit(f"{_shown(value)} is not a time") from error
        whole = (moment - _EPOCH) // timedelta(seconds=1)
        return whole * 10**9 + int((match[7] or "0").ljust(9, "0"))
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise Unfit(f"{_shown(value)} is not a time") from error
    milliseconds = number == number.to_integral_value() and number.adjusted() + 1 >= _SECONDS_DIGITS
    return int(number * (10**6 if milliseconds else 10**9))


def _date(value: Json) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise Unfit(f"{_shown(value)} is not a date") from error


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)[:100]
