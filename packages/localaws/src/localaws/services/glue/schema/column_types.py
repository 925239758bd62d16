"""Types of columns: found in values, merged over rows, files and partitions, written as Hive writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

_WIDER = ("int", "bigint", "double")
_INT, _BIGINT = 2**31, 2**63


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields by lower-case name."""

    fields: Mapping[str, "Type"]


@dataclass(frozen=True, slots=True)
class Array:
    """`of` is None while no element was seen."""

    of: "Type"


Type = Union[str, Struct, Array, None]  # noqa: UP007 - it names classes that name it; None: only nulls were seen


def of(value: Any) -> Type:
    """The type of a JSON value."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -_INT <= value < _INT else "bigint" if -_BIGINT <= value < _BIGINT else "double"
    if isinstance(value, float):
        return "double"
    if isinstance(value, list):
        found: Type = None
        for one in value:
            found = merged(found, of(one))
        return Array(found)
    return Struct(columns(value)) if isinstance(value, dict) else "string"


def columns(record: Mapping[str, Any]) -> dict[str, Type]:
    """The columns of a JSON object; names that differ in case only are one."""
    found: dict[str, Type] = {}
    for name, value in record.items():
        found[name.lower()] = merged(found.get(name.lower()), of(value))
    return found


def merged(one: Type, other: Type) -> Type:
    """The narrowest type that holds both: int, bigint, double in this order; string where they do not meet."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    if isinstance(one, Struct) and isinstance(other, Struct):
        return Struct(merged_columns(one.fields, other.fields))
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(merged(one.of, other.of))
    if isinstance(one, str) and isinstance(other, str) and one in _WIDER and other in _WIDER:
        return max(one, other, key=_WIDER.index)
    return "string"


def merged_columns(ones: Mapping[str, Type], others: Mapping[str, Type]) -> dict[str, Type]:
    """All columns of both, in the order in which they were first seen."""
    return {
        name: merged(ones.get(name), others.get(name)) for name in [*ones, *(one for one in others if one not in ones)]
    }


def hive(kind: Type) -> str:
    """The type's name in Hive; a column of nulls is text."""
    if isinstance(kind, Struct):
        return "struct<" + ",".join(f"{name}:{hive(one)}" for name, one in kind.fields.items()) + ">"
    if isinstance(kind, Array):
        return f"array<{hive(kind.of)}>"
    return kind or "string"
