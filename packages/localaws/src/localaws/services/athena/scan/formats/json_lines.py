"""Lines of JSON decoded into the columns of a table, as the OpenX and Hive JSON SerDes do ("JSON SerDe libraries").

What does not fit a column's type is null to OpenX and an error to Hive's SerDe; numbers are cut, never rounded.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.hive_types import HiveType

_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONED = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)
_LOCAL = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?")
_MILLISECOND_DIGITS = 13  # a whole number of so many digits counts milliseconds, a shorter one seconds


class _Bare(str):
    """A number, true or false in the spelling of its line."""

    __slots__ = ()


class Unfit(ValueError):
    """A value that does not fit a column's type."""


class Malformed(ValueError):
    """A line that is no JSON, or a value of another structure than its column."""


def _constant(text: str) -> str:
    raise Malformed(text)


def _pairs(items: list[tuple[str, object]]) -> dict[str, object]:
    return dict(items)


_DECODER = json.JSONDecoder(
    parse_int=_Bare, parse_float=_Bare, parse_constant=_constant, object_pairs_hook=_pairs, strict=False
)


@dataclass(frozen=True, slots=True)
class JsonLines:
    """How one table's lines become rows.

    `mappings` gives the key of a column; `is_strict` makes an unfit value an error, `ignores_malformed` a row of nulls
    of a line that is no JSON.
    """

    columns: Mapping[str, HiveType]
    mappings: Mapping[str, str] = field(default_factory=dict)
    is_case_insensitive: bool = True
    has_dots: bool = False
    is_strict: bool = False
    ignores_malformed: bool = False

    def rows(self, lines: Iterable[str], source: str) -> Iterable[list[object]]:
        """A row for each line. Raises QueryFailed HIVE_BAD_DATA, which names the object `source` and the line."""
        for number, line in enumerate(lines, start=1):
            try:
                yield self.row(line.strip())
            except (Malformed, Unfit) as error:
                raise QueryFailed("HIVE_BAD_DATA", f"Error Parsing Row for {source}, line {number}: {error}") from error

    def row(self, line: str) -> list[object]:
        value: object = None
        if line[:1] in ("{", "["):
            try:
                value = _DECODER.decode(line)
            except (ValueError, RecursionError) as error:
                if not self.ignores_malformed:
                    raise Malformed("Row is not a valid JSON Object") from error
        elif line and self.is_strict:
            raise Malformed("Row is not a valid JSON Object")
        if value is None:
            return [None] * len(self.columns)
        return self._fields(value, list(self.columns), list(self.columns.values()))

    def _fields(self, value: object, names: Sequence[str], kinds: Sequence[HiveType]) -> list[object]:
        if isinstance(value, list):
            listed = [*value, *[None] * len(names)]
            return [self._value(item, kind) for item, kind in zip(listed, kinds, strict=False)]
        if isinstance(value, str):
            if value.strip():
                raise Malformed("Primitive can not be coerced to a ROW")
            return [None] * len(names)
        if not isinstance(value, dict):
            raise Malformed("Expected JSON object")
        members = {self._key(key): item for key, item in value.items()}
        return [self._value(members.get(self._name_of(name)), kind) for name, kind in zip(names, kinds, strict=True)]

    def _key(self, key: str) -> str:
        key = key.replace(".", "_") if self.has_dots else key
        return key.lower() if self.is_case_insensitive else key

    def _name_of(self, name: str) -> str:
        return self._key(self.mappings.get(name, name))

    def _value(self, value: object, kind: HiveType) -> object:
        if value is None or value == _Bare("null"):
            return None
        if isinstance(value, bool):
            value = _Bare("true" if value else "false")
        build = _NESTED.get(kind.name)
        if build is not None:
            return build(self, value, kind)
        if kind.name in ("string", "varchar", "char"):
            return _text(value, kind)
        if not isinstance(value, str):
            if kind.name == "boolean":
                return False
            raise Malformed(f"{type(value).__name__} can not be coerced to {kind.name.upper()}")
        try:
            return _SCALARS[kind.name](value, kind)
        except Unfit:
            if self.is_strict:
                raise
            return None

    def _array(self, value: object, kind: HiveType) -> list[object] | None:
        if isinstance(value, str) and not value:
            return None
        items = value if isinstance(value, list) else [value]
        return [self._value(item, kind.children[0]) for item in items]

    def _map(self, value: object, kind: HiveType) -> list[tuple[object, object]] | None:
        if isinstance(value, str) and not value.strip():
            return None
        if not isinstance(value, dict):
            raise Malformed("Primitive can not be coerced to a MAP")
        key, item = kind.children
        return list({self._value(name, key): self._value(member, item) for name, member in value.items()}.items())

    def _struct(self, value: object, kind: HiveType) -> dict[str, object]:
        return dict(zip(kind.fields, self._fields(value, kind.fields, kind.children), strict=True))


_NESTED: Mapping[str, Callable[[JsonLines, object, HiveType], object]] = {
    "array": JsonLines._array,  # noqa: SLF001
    "map": JsonLines._map,  # noqa: SLF001
    "struct": JsonLines._struct,  # noqa: SLF001
}


def _text(value: object, kind: HiveType) -> str:
    text = str(value) if isinstance(value, str) else written(value)
    if kind.size and kind.name in ("varchar", "char"):
        text = text[: kind.size[0]]
    return text.rstrip(" ") if kind.name == "char" else text


def written(value: object) -> str:
    """A value as JSON, numbers in their spelling."""
    if isinstance(value, _Bare):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{written(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _integer(value: str, kind: HiveType) -> int:
    limit = 1 << (_BITS[kind.name] - 1)
    try:
        number = int(Decimal(value).to_integral_value(rounding=ROUND_DOWN))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Unfit(f"{value!r} is no {kind.name}") from error
    if not -limit <= number < limit:
        raise Unfit(f"{value} is out of range of {kind.name}")
    return number


def _floating(value: str, _: HiveType) -> float:
    try:
        return float(value.strip())
    except ValueError as error:
        raise Unfit(f"{value!r} is no number") from error


def _decimal(value: str, kind: HiveType) -> Decimal:
    precision, scale = (*kind.size, 0)[:2] if kind.size else (10, 0)
    try:
        number = Decimal(value).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    except InvalidOperation as error:
        raise Unfit(f"{value!r} is no decimal({precision},{scale})") from error
    if number.is_nan() or number.adjusted() >= precision - scale:
        raise Unfit(f"{value} is out of range of decimal({precision},{scale})")
    return number


def _boolean(value: str, _: HiveType) -> bool:
    return value.lower() == "true"


def _date(value: str, kind: HiveType) -> date:
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", value.strip())
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
        return date(1970, 1, 1) + timedelta(days=_integer(value, HiveType("int")))
    except (ValueError, OverflowError) as error:
        raise Unfit(f"{value!r} is no {kind.name}") from error


def timestamp(value: str, kind: HiveType) -> datetime:
    """With an offset, `yyyy-MM-dd HH:mm:ss.fff`, or seconds or milliseconds since 1970. Raises Unfit."""
    try:
        if ":" in value:
            return _clock(value)
        if "." in value:
            milliseconds = int((Decimal(value) * 1000).to_integral_value(rounding=ROUND_DOWN))
        else:
            milliseconds = int(value) * (1 if len(value) >= _MILLISECOND_DIGITS else 1000)
        return (_EPOCH + timedelta(milliseconds=milliseconds)).replace(tzinfo=None)
    except (ValueError, ArithmeticError, OverflowError) as error:
        raise Unfit(f"{value!r} is no {kind.name}") from error


def _clock(value: str) -> datetime:
    match = _ZONED.fullmatch(value)
    if match:
        zone = "+00:00" if match[4] in "Zz" else match[4] if ":" in match[4] else f"{match[4][:3]}:{match[4][3:]}"
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(UTC).replace(tzinfo=None)
        return moment + _part(match[3])
    local = _LOCAL.fullmatch(value)
    if local is None:
        raise Unfit(value)
    year, month, day, hour, minute, second = (int(local[number] or 0) for number in range(1, 7))
    return datetime(year, month, day, hour, minute, second) + _part(local[7])  # noqa: DTZ001 - a wall clock


def _part(digits: str | None) -> timedelta:
    """The part of a second, to the nearest millisecond."""
    return timedelta(milliseconds=math.floor(float(f"0.{digits or 0}") * 1000 + 0.5))


def _binary(value: str, kind: HiveType) -> bytes:
    if isinstance(value, _Bare):
        raise Malformed("Unquoted JSON string is not allowed for VARBINARY")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:
        raise Malformed(f"{value[:40]!r} is no base64 for {kind.name}") from error


_SCALARS: Mapping[str, Callable[[str, HiveType], object]] = {
    **dict.fromkeys(_BITS, _integer),
    "float": _floating,
    "double": _floating,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "timestamp": timestamp,
    "binary": _binary,
}
