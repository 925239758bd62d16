"""Values as Athena's result files spell them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from localaws.services.athena.results import map_order
from localaws.services.athena.sql.python import clocks
from localaws.services.athena.sql.python.numbers import java_double, shortest_real
from localaws.services.athena.sql.trino.types import ANY_ZONE, Type, field_names

Formatter = Callable[[Any], str]  # of values as the engine gives them


def formatter(kind: Type) -> Formatter:
    """The spelling of one type's values, which are not null."""
    if kind.name in _NESTED:
        return _NESTED[kind.name](kind)
    return _PLAIN.get(kind.name, str)


def _nullable(spell: Formatter) -> Formatter:
    return lambda value: "null" if value is None else spell(value)


def _array(kind: Type) -> Formatter:
    inner = _nullable(formatter(kind.children[0]))
    return lambda value: "[" + ", ".join(inner(item) for item in value) + "]"


def _map(kind: Type) -> Formatter:
    key = formatter(kind.children[0])
    item = _nullable(formatter(kind.children[1]))
    name = kind.children[0].name
    return lambda value: "{" + ", ".join(f"{key(k)}={item(v)}" for k, v in map_order.entries(value, name)) + "}"


def _row(kind: Type) -> Formatter:
    names = field_names(kind)
    fields = [(name, _nullable(formatter(child))) for name, child in zip(names, kind.children, strict=True)]

    def spell(value: Mapping[str, object]) -> str:
        cells = zip(fields, value.values(), strict=True)
        return "{" + ", ".join(f"{name}={field(cell)}" for (name, field), cell in cells) + "}"

    return spell


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _timestamp(kind: Type) -> Formatter:
    places = kind.sizes[0]
    return lambda value: timestamp_text(value, places)


def timestamp_text(value: datetime, places: int) -> str:
    """A timestamp with so many digits of its second."""
    text = value.isoformat(sep=" ", timespec="microseconds")
    return text[: 20 + places] if places else text[:19]


def _clock(kind: Type) -> Formatter:
    places = kind.sizes[0]

    def spell(value: time) -> str:
        text = value.isoformat(timespec="microseconds")
        return text[: 9 + places] if places else text[:8]

    return spell


def _zoned(kind: Type) -> Formatter:
    """The wall clock of the zone, and the zone: the value's own, or the type's."""
    places = kind.sizes[0]
    if kind.zone == ANY_ZONE:
        return lambda value: _placed(value["instant"], value["zone"], places)
    return lambda value: _placed(value, kind.zone, places)


def _placed(instant: datetime, zone: str, places: int) -> str:
    if zone == "UTC":
        return timestamp_text(instant, places) + " UTC"
    local = instant.replace(tzinfo=UTC).astimezone(clocks.zone(zone)).replace(tzinfo=None)
    return f"{timestamp_text(local, places)} {zone}"


def _binary(value: bytes) -> str:
    return value.hex(" ")


def _char(kind: Type) -> Formatter:
    return lambda value: value.ljust(kind.sizes[0])


def _real(value: float) -> str:
    return java_double(float(shortest_real(value)))


_NESTED: Mapping[str, Callable[[Type], Formatter]] = {
    "array": _array, "map": _map, "row": _row, "char": _char,
    "timestamp": _timestamp, "timestamp with time zone": _zoned, "time": _clock,
}  # fmt: skip
_PLAIN: Mapping[str, Formatter] = {
    "boolean": _boolean,
    "varbinary": _binary,
    "double": java_double,
    "real": _real,
    "interval day to second": clocks.days_text,
    "interval year to month": clocks.months_text,
}
