"""Values as Athena's result files spell them."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from localaws.services.athena.sql import hive_types
from localaws.services.athena.sql.failures import QueryFailed

Formatter = Callable[[Any], str]


def formatter(kind: Any) -> Formatter:
    """The spelling of one engine type's values, which are not null."""
    name = hive_types.type_id(kind)
    if name in ("list", "array"):
        inner = _nullable(formatter(dict(kind.children)["child"]))
        return lambda value: "[" + ", ".join(inner(item) for item in value) + "]"
    if name == "map":
        children = dict(kind.children)
        key = formatter(children["key"])
        item = _nullable(formatter(children["value"]))
        return lambda value: "{" + ", ".join(f"{key(k)}={item(v)}" for k, v in value.items()) + "}"
    if name == "struct":
        fields = [
            (field or f"field{at}", _nullable(formatter(child))) for at, (field, child) in enumerate(kind.children)
        ]
        return lambda value: _row(value, fields)
    return _PLAIN.get(name, str)


def _nullable(spell: Formatter) -> Formatter:
    return lambda value: "null" if value is None else spell(value)


def _row(value: Any, fields: list[tuple[str, Formatter]]) -> str:
    """A row's fields in their order; the engine gives those of a row without names as a tuple."""
    cells = value if isinstance(value, tuple) else value.values()
    return "{" + ", ".join(f"{name}={spell(cell)}" for (name, spell), cell in zip(fields, cells, strict=True)) + "}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _timestamp(value: datetime) -> str:
    return value.isoformat(sep=" ", timespec="milliseconds")[:23]


def _zoned(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds") + " UTC"


def _binary(value: bytes) -> str:
    return value.hex(" ")


def double(value: float) -> str:
    """A double as Java writes it: plain between 10^-3 and 10^7, else with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        return text if "e" not in text else f"{value:f}"
    mantissa, _, exponent = f"{value:e}".partition("e")
    digits = repr(value).lower().partition("e")[0].replace("-", "").replace(".", "").strip("0") or "0"
    sign = "-" if mantissa.startswith("-") else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{int(exponent)}"


def _real(value: float) -> str:
    import struct

    for size in range(1, 10):
        text = f"{value:.{size}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            return double(float(text))
    return double(value)


def _bigint(value: int) -> str:
    """A sum, which the engine makes in 128 bits."""
    if not -(2**63) <= value < 2**63:
        raise QueryFailed("NUMERIC_VALUE_OUT_OF_RANGE", f"bigint addition overflow: {value}")
    return str(value)


_PLAIN: dict[str, Formatter] = {
    "boolean": _boolean,
    "timestamp": _timestamp,
    "timestamp_ms": _timestamp,
    "timestamp_s": _timestamp,
    "timestamp_ns": _timestamp,
    "timestamp with time zone": _zoned,
    "blob": _binary,
    "double": double,
    "float": _real,
    "hugeint": _bigint,
}
