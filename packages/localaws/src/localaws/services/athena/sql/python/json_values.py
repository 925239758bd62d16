"""JSON text: parsed strictly, written as Trino writes it, taken apart by paths, cast to types."""

import json
import math
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NoReturn

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.python.failing import failed
from localaws.services.athena.sql.python.json_paths import steps
from localaws.services.athena.sql.python.numbers import java_double
from localaws.services.athena.sql.trino.types import INTEGERS, Type

_MISSING = object()
_LIMITS = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}


class Number(str):
    """A number in the spelling of its text."""

    __slots__ = ()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"not JSON: {constant}")


class _Items(list[tuple[str, object]]):
    """The members of an object, in their order, twice given keys twice."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Items, parse_float=Number, parse_int=Number, parse_constant=_refuse, strict=False
)


def _decoded(text: str) -> object:
    """The value, or `_MISSING` for what is no JSON."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return _MISSING


_ESCAPED = re.compile(r"\\u[0-9a-f]{4}|[\U00010000-\U0010ffff]")


def quoted(value: str) -> str:
    """A JSON string, with what lies beyond the basic plane as its two surrogates, as Java's writer has it."""

    def escaped(match: re.Match[str]) -> str:
        sign = match[0]
        if sign[0] == "\\":
            return "\\u" + sign[2:].upper()
        pair = sign.encode("utf-16-be").hex().upper()
        return f"\\u{pair[:4]}\\u{pair[4:]}"

    return _ESCAPED.sub(escaped, json.dumps(value, ensure_ascii=False))


def written(value: object, *, ordered: bool) -> str:
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, _Items):
        items = sorted(dict(value).items()) if ordered else list(value)
        return "{" + ",".join(f"{quoted(key)}:{written(item, ordered=ordered)}" for key, item in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item, ordered=ordered) for item in value) + "]"
    return "null" if value is None else "true" if value else "false"


def _number(value: str) -> str:
    if "." in value or "e" in value.lower():
        return java_double(float(value))
    return "0" if value == "-0" else value


def parse(text: str) -> str:
    """json_parse: keys sorted, numbers normalized."""
    value = _decoded(text)
    if value is _MISSING:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Cannot convert value to JSON: '{text}'")
    return written(value, ordered=True)


def _at(text: str, path: str) -> object:
    try:
        parts = steps(path)
    except QueryFailed as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{path}'") from error
    value = _decoded(text)
    for part in parts:
        value = _step(value, part)
    return value


def _step(value: object, part: str | int) -> object:
    if isinstance(value, _Items):
        return next((item for key, item in value if key == str(part)), _MISSING)
    if isinstance(value, list):
        place = part if isinstance(part, int) else int(part) if part.isdigit() else -1
        return value[place] if 0 <= place < len(value) else _MISSING
    return _MISSING


def extract(text: str, path: str) -> str | None:
    value = _at(text, path)
    return None if value is _MISSING else written(value, ordered=False)


def scalar(text: str, path: str) -> str | None:
    """json_extract_scalar: a number in its own spelling."""
    value = _at(text, path)
    if value is _MISSING or value is None or isinstance(value, list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def size(text: str, path: str) -> int | None:
    value = _at(text, path)
    if value is _MISSING:
        return None
    return len(value) if isinstance(value, list) else 0


def array_length(text: str) -> int | None:
    value = _decoded(text)
    return len(value) if isinstance(value, list) and not isinstance(value, _Items) else None


def array_get(text: str, place: int) -> str | None:
    value = _decoded(text)
    if not isinstance(value, list) or isinstance(value, _Items) or not -len(value) <= place < len(value):
        return None
    item = value[place]
    return (
        None
        if item is None
        else item
        if isinstance(item, str) and not isinstance(item, Number)
        else written(item, ordered=False)
    )


def array_contains(text: str, expected: str, kind: str) -> bool | None:
    value = _decoded(text)
    if not isinstance(value, list) or isinstance(value, _Items):
        return None
    return any(_equals(item, expected, kind) for item in value)


def _equals(item: object, expected: str, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(item, bool) and str(item).lower() == expected
    if kind == "varchar":
        return isinstance(item, str) and not isinstance(item, Number) and item == expected
    if not isinstance(item, Number):
        return False
    is_float = "." in item or "e" in item.lower()
    return (
        (is_float and float(item) == float(expected))
        if kind == "double"
        else (not is_float and int(item) == int(expected))
    )


def is_scalar(text: str) -> bool:
    value = _decoded(text)
    if value is _MISSING:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON value: {text}")
    return not isinstance(value, list)


def cast(text: str, kind: str) -> str | None:
    """A JSON scalar as the text of another type's value."""
    return _cast(_decoded(text), kind, text)


def _cast(value: object, kind: str, text: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, list) or value is _MISSING:
        raise failed(
            "INVALID_CAST_ARGUMENT", f"Cannot cast to {kind}. Unexpected token when casting to {kind}: {text[:60]}"
        )
    shown = _text_of(value)
    if kind == "varchar":
        return shown
    if kind == "boolean":
        return _boolean(value, shown, text)
    if isinstance(value, bool):
        return str(int(value))
    try:
        number = Decimal(shown)
    except ArithmeticError as error:
        raise failed("INVALID_CAST_ARGUMENT", f"Cannot cast '{shown}' to {kind}") from error
    if kind in INTEGERS:
        return _whole(number, value, kind)
    return repr(float(number)) if kind in ("double", "real") else str(number)


def _text_of(value: object) -> str:
    from localaws.services.athena.sql.python.numbers import double_text

    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number) and ("." in value or "e" in value.lower()):
        return double_text(float(value))
    return str(value)


def _boolean(value: object, shown: str, text: str) -> str:
    if isinstance(value, bool):
        return shown
    if isinstance(value, Number):
        return "true" if float(value) else "false"
    if shown.lower() in ("true", "false"):
        return shown.lower()
    raise failed("INVALID_CAST_ARGUMENT", f"Cannot cast '{text[:60]}' to BOOLEAN")


def _whole(number: Decimal, value: object, kind: str) -> str:
    if not isinstance(value, Number) and number != number.to_integral_value():
        raise failed("INVALID_CAST_ARGUMENT", f"Cannot cast '{value}' to {kind.upper()}")
    whole = int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    limit = 2 ** _LIMITS[kind]
    if not -limit <= whole < limit:
        raise failed("INVALID_CAST_ARGUMENT", f"Out of range for {kind}: {number}")
    return str(whole)


@lru_cache(maxsize=256)
def _type(name: str) -> Type:
    from localaws.services.athena.sql.grammar.types import TypeParser, type_of

    return type_of(TypeParser(name).type())


def shape(text: str, name: str) -> str:
    """A JSON value brought into the shape of a nested type, as JSON that the engine reads without loss."""
    return json.dumps(_shaped(_decoded(text), _type(name), text), ensure_ascii=False)


def _shaped(value: object, kind: Type, text: str) -> object:
    if value is None:
        return "null" if kind.name == "json" else None
    if kind.name == "array":
        if not isinstance(value, list) or isinstance(value, _Items):
            raise _unexpected(kind, text)
        return [_shaped(item, kind.children[0], text) for item in value]
    if kind.name == "map":
        if not isinstance(value, _Items):
            raise _unexpected(kind, text)
        return {str(_shaped(key, kind.children[0], text)): _shaped(item, kind.children[1], text) for key, item in value}
    if kind.name == "row":
        return _row(value, kind, text)
    if kind.name == "json":
        return written(value, ordered=True)
    built = _cast(value, kind.name, text)
    return _scalar(built, kind)


def _scalar(built: str | None, kind: Type) -> object:
    if built is None or kind.name == "varchar":
        return built
    if kind.name == "boolean":
        return built == "true"
    if kind.name in INTEGERS:
        return int(built)
    if kind.name in ("double", "real"):
        number = float(built)
        return built if math.isinf(number) or math.isnan(number) else number
    return built


def _row(value: object, kind: Type, text: str) -> dict[str, object]:
    from localaws.services.athena.sql.trino.types import field_names

    names = field_names(kind)
    if isinstance(value, _Items):
        members = {key.lower(): item for key, item in value}
        return {name: _shaped(members.get(name), child, text) for name, child in zip(names, kind.children, strict=True)}
    if not isinstance(value, list) or len(value) != len(names):
        raise _unexpected(kind, text)
    return dict(zip(names, _each(value, kind, text), strict=True))


def _each(values: list[object], kind: Type, text: str) -> Iterator[object]:
    for item, child in zip(values, kind.children, strict=True):
        yield _shaped(item, child, text)


def _unexpected(kind: Type, text: str) -> ValueError:
    return failed("INVALID_CAST_ARGUMENT", f"Cannot cast to {kind}. Unexpected JSON: {text[:60]}")
