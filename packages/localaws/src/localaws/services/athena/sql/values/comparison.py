"""Comparisons with Trino's three-valued logic: NaN is equal to nothing, nulls within arrays and rows make null."""

from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.sql.trino.coercion import common
from localaws.services.athena.sql.trino.types import BOOLEAN, VARCHAR, Type, field_names
from localaws.services.athena.sql.values.arithmetic import mismatch
from localaws.services.athena.sql.values.conversion import convert, sortable
from localaws.services.athena.sql.values.values import Value, instant_of, text

_SHOWN = {"=": "=", "<>": "=", "<": "<", ">": "<", "<=": "<=", ">=": "<="}
_UNORDERED = ("map", "json", "unknown")


def is_orderable(kind: Type) -> bool:
    return kind.name not in ("map", "json") and all(is_orderable(child) for child in kind.children)


def compared(sign: str, left: Value, right: Value, place: tuple[int, int]) -> Value:
    """`left sign right`. Raises QueryFailed TYPE_MISMATCH where Trino knows no such operator."""
    if {left.type.name, right.type.name} == {"char", "varchar"}:
        left = Value(f"rtrim({left.sql}, ' ')", VARCHAR)
        right = Value(f"rtrim({right.sql}, ' ')", VARCHAR)
    kind = common(left.type, right.type)
    if kind is None or (sign not in ("=", "<>") and not is_orderable(kind)):
        raise mismatch(place, f"Cannot apply operator: {left.type} {_SHOWN[sign]} {right.type}")
    return Value(comparison(sign, convert(left, kind), convert(right, kind)), BOOLEAN)


def comparison(sign: str, left: Value, right: Value) -> str:
    """The engine's text of a comparison of two values of one type."""
    kind = left.type
    if kind.name in ("double", "real"):
        return _floating(sign, left, right)
    if kind.name == "timestamp with time zone":
        return f"({instant_of(left)} {sign} {instant_of(right)})"
    if kind.children:
        return _nested(sign, left, right)
    return f"({left.sql} {sign} {right.sql})"


def _floating(sign: str, left: Value, right: Value) -> str:
    plain = f"{left.sql} {sign} {right.sql}"
    checked = {"=": left, "<>": left, "<": right, "<=": right, ">": left, ">=": left}[sign]
    if checked.constant is not None or (sign in ("=", "<>") and right.constant is not None):
        return f"({plain})"
    if sign == "<>":
        return f"({plain} or isnan({checked.sql}))"
    return f"({plain} and not isnan({checked.sql}))"


def _nested(sign: str, left: Value, right: Value) -> str:
    if sign == "<>":
        return f"(not {_nested('=', left, right)})"
    if sign != "=":
        if any(child.children for child in left.type.children):
            raise not_supported("An ordering of nested arrays and rows")
        return f"({sortable(left)} {sign} {sortable(right)})"
    if left.type.name == "array":
        element = left.type.children[0]
        first = Value(f"({left.sql})[place]", element)
        second = Value(f"({right.sql})[place]", element)
        judged = f"list_transform(range(1, len({left.sql}) + 1), lambda place: {comparison('=', first, second)})"
        return f"a_arrays_equal({left.sql}, {right.sql}, {judged})"
    if left.type.name == "map":
        return _maps_equal(left, right)
    parts = []
    for name, child in zip(field_names(left.type), left.type.children, strict=True):
        first = Value(f"struct_extract({left.sql}, {text(name)})", child)
        second = Value(f"struct_extract({right.sql}, {text(name)})", child)
        parts.append(comparison("=", first, second))
    return f"({' and '.join(parts)})"


def _maps_equal(left: Value, right: Value) -> str:
    """The same keys with equal values; null where a value that counts is null."""
    kind = left.type.children[1]
    first = Value(f"({left.sql})[compared]", kind)
    second = Value(f"({right.sql})[compared]", kind)
    judged = f"list_transform(map_keys({left.sql}), lambda compared: {comparison('=', first, second)})"
    keys, others = (f"map_keys({side.sql})" for side in (left, right))
    alike = f"(len({keys}) = len({others}) and list_has_all({keys}, {others}))"
    return f"a_maps_equal({left.sql}, {right.sql}, {alike}, {judged})"


def distinct_from(left: Value, right: Value, place: tuple[int, int], *, negated: bool) -> Value:
    """IS [NOT] DISTINCT FROM."""
    kind = common(left.type, right.type)
    if kind is None:
        raise mismatch(place, f"Cannot apply operator: {left.type} IS DISTINCT FROM {right.type}")
    first = convert(left, kind)
    second = convert(right, kind)
    if kind.name == "timestamp with time zone":
        sides = (instant_of(first), instant_of(second))
    else:
        sides = (first.sql, second.sql)
    return Value(f"({sides[0]} is {'not ' if negated else ''}distinct from {sides[1]})", BOOLEAN)
