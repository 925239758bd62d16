"""Types of columns: found in values, merged over rows, files and partitions, written as Hive writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from localaws.core.shapes import Structure

_WIDER = ("int", "bigint", "double")
_INT = 2**31
_BIGINT = 2**63


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
        element: Type = None
        for item in value:
            element = merged(element, of(item))
        return Array(element)
    return Struct(columns(value)) if isinstance(value, dict) else "string"


def columns(record: Structure) -> dict[str, Type]:
    """The columns of a JSON object; names that differ in case only are one."""
    types: dict[str, Type] = {}
    for name, value in record.items():
        types[name.lower()] = merged(types.get(name.lower()), of(value))
    return types


def merged(left: Type, right: Type) -> Type:
    """The narrowest type that holds both: int, bigint, double in this order; string where they do not meet."""
    if left is None or left == right:
        return right
    if right is None:
        return left
    if isinstance(left, Struct) and isinstance(right, Struct):
        return Struct(merged_columns(left.fields, right.fields))
    if isinstance(left, Array) and isinstance(right, Array):
        return Array(merged(left.of, right.of))
    if isinstance(left, str) and isinstance(right, str) and left in _WIDER and right in _WIDER:
        return max(left, right, key=_WIDER.index)
    return "string"


def merged_columns(left: Mapping[str, Type], right: Mapping[str, Type]) -> dict[str, Type]:
    """All columns of both, in the order in which they were first seen."""
    return {
        name: merged(left.get(name), right.get(name)) for name in [*left, *(name for name in right if name not in left)]
    }


def hive(kind: Type) -> str:
    """The type's name in Hive; a column of nulls is text."""
    if isinstance(kind, Struct):
        return "struct<" + ",".join(f"{name}:{hive(child)}" for name, child in kind.fields.items()) + ">"
    if isinstance(kind, Array):
        return f"array<{hive(kind.of)}>"
    return kind or "string"
