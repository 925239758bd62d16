"""CASE, IN, LIKE and their kin: several values brought to one type."""

import re
from collections.abc import Sequence

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.coercion import common
from localaws.services.athena.sql.trino.types import BIGINT, BOOLEAN, INTEGERS, UNKNOWN, VARCHAR, Type
from localaws.services.athena.sql.values.arithmetic import mismatch
from localaws.services.athena.sql.values.casting import spelling
from localaws.services.athena.sql.values.comparison import compared, comparison, is_orderable
from localaws.services.athena.sql.values.conversion import convert
from localaws.services.athena.sql.values.values import Value, instant_of, text, zone_of

Place = tuple[int, int]


_CALL = re.compile(r"(\w+)\(")
_SAFE_CALLS = frozenset(
    """
    a_regexp_extract a_upper case coalesce json_extract_string json_type json_valid lower ltrim not py_json_scalar
    py_replace regexp_extract replace rtrim struct_extract substr trim upper when then in else a_blanks
    """.split()
)


def is_certain(value: Value) -> bool:
    """Whether computing the value cannot fail: it is a name, a literal, or made of them by functions that never do."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", value.sql)
    return not re.search(r"[-+*/%~]|::|\bcast\b|\bselect\b|\[", bare) and set(_CALL.findall(bare)) <= _SAFE_CALLS


def attempted(value: Value) -> Value:
    """The value, or null where it fails."""
    if value.instant is not None and value.zone is not None:
        return Value(f"try({value.sql})", value.type, f"try({value.instant})", f"try({value.zone})")
    return Value(f"try({value.sql})", value.type)


def like(value: Value, pattern: Value, escape: Value | None, place: Place) -> Value:
    for side, kind in (("Left side of LIKE expression", value.type), ("Pattern for LIKE expression", pattern.type)):
        if kind.name not in ("varchar", "char", "unknown"):
            raise mismatch(place, f"{side} must evaluate to a varchar (actual: {kind})")
    left = convert(value, VARCHAR).sql
    right = convert(pattern, VARCHAR).sql
    if escape is None:
        return Value(f"({left} like {right})", BOOLEAN)
    if escape.constant is not None and len(str(escape.constant)) != 1:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character")
    if escape.constant is not None and pattern.constant is not None:
        _check_escapes(str(pattern.constant), str(escape.constant))
    return Value(f"({left} like {right} escape {escape.sql})", BOOLEAN)


def _check_escapes(pattern: str, escape: str) -> None:
    sign = re.escape(escape)
    if re.sub(rf"{sign}[%_{sign}]", "", pattern).count(escape):
        raise QueryFailed(
            "INVALID_FUNCTION_ARGUMENT", "Escape character must be followed by '%', '_' or the escape character itself"
        )


def listed(value: Value, items: Sequence[Value], place: Place) -> Value:
    kind = value.type
    for item in items:
        meeting = common(kind, item.type)
        if meeting is None:
            raise mismatch(place, f"IN value and list items must be the same type: {value.type}")
        kind = meeting
    first = convert(value, kind)
    turned = [convert(item, kind) for item in items]
    if kind.children or kind.name in ("double", "real"):
        return Value(f"({' or '.join(comparison('=', first, item) for item in turned)})", BOOLEAN)
    return Value(f"({membership_text(first)} in ({', '.join(membership_text(item) for item in turned)}))", BOOLEAN)


def membership_text(value: Value) -> str:
    return instant_of(value) if value.type.name == "timestamp with time zone" else value.sql


def quantified(value: Value, item: Value, sql: str, sign: str, relation: str, place: Place, *, every: bool) -> Value:
    """Value sign ALL or ANY (query)."""
    kind = common(value.type, item.type)
    if kind is None or (sign not in ("=", "<>") and not is_orderable(kind)):
        raise mismatch(place, f"Cannot apply operator: {value.type} {sign} {item.type}")
    inner = membership_text(convert(Value(f"{relation}.c0", item.type), kind))
    outer = membership_text(convert(value, kind))
    word = "all" if every else "any"
    return Value(f"({outer} {sign} {word} (select {inner} from ({sql}) as {relation}(c0)))", BOOLEAN)


def chosen(branches: Sequence[tuple[Value, Value, Place]], default: Value | None, place: Place) -> Value:
    """CASE with conditions."""
    kind: Type = UNKNOWN
    results = [(value, where) for _, value, where in branches]
    if default is not None:
        results.append((default, place))
    for value, where in results:
        meeting = common(kind, value.type)
        if meeting is None:
            raise mismatch(
                where,
                f"All CASE results must be the same type or coercible to a common type. Cannot find common type"
                f" between {kind} and {value.type}",
            )
        kind = meeting
    parts = [f"when {condition.sql} then {convert(value, kind).sql}" for condition, value, _ in branches]
    otherwise = convert(default, kind).sql if default is not None else "null"
    return Value(f"(case {' '.join(parts)} else {otherwise} end)", kind)


def first_present(values: Sequence[Value], places: Sequence[Place]) -> Value:
    """COALESCE."""
    kind: Type = UNKNOWN
    for value, where in zip(values, places, strict=True):
        meeting = common(kind, value.type)
        if meeting is None:
            raise mismatch(
                where,
                f"All COALESCE operands must be the same type or coercible to a common type. Cannot find common type"
                f" between {kind} and {value.type}",
            )
        kind = meeting
    return Value(f"coalesce({', '.join(convert(value, kind).sql for value in values)})", kind)


def item(value: Value, index: Value, place: Place) -> Value:
    """A subscript: of an array, a map or a row."""
    if value.type.name == "array":
        if index.type.name not in INTEGERS:
            raise mismatch(place, f"Cannot use {index.type} for subscript of {value.type}")
        return Value(f"({value.sql})[a_item({value.sql}, {index.sql})]", value.type.children[0])
    if value.type.name == "map":
        kind = common(value.type.children[0], index.type)
        if kind is None or kind != value.type.children[0]:
            kind = value.type.children[0] if kind is not None and kind.name == value.type.children[0].name else None
        if kind is None:
            raise mismatch(place, f"Cannot use {index.type} for subscript of {value.type}")
        key = convert(index, kind)
        shown = spelling(Value(key.sql, kind)) or "''"
        return Value(f"({value.sql})[a_key({value.sql}, {key.sql}, {shown})]", value.type.children[1])
    if value.type.name == "row" and isinstance(index.constant, int):
        from localaws.services.athena.sql.trino.types import field_names

        if not 1 <= index.constant <= len(value.type.children):
            raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"line {place[0]}:{place[1]}: ROW subscript out of bounds")
        name = field_names(value.type)[index.constant - 1]
        return Value(f"struct_extract({value.sql}, {text(name)})", value.type.children[index.constant - 1])
    raise mismatch(place, f"Cannot use {index.type} for subscript of {value.type}")


_FORMATTED = {"tinyint": "bigint", "smallint": "bigint", "integer": "bigint", "real": "double"}


def formatted(values: Sequence[Value], place: Place) -> Value:
    """format(), after Java's Formatter."""
    if len(values) < 1 or values[0].type.name != "varchar":
        raise mismatch(place, "Type of first argument to format() must be VARCHAR")
    if len(values) < 2:
        raise QueryFailed(
            "SYNTAX_ERROR", f"line {place[0]}:{place[1]}: The 'format' function must have at least two arguments"
        )
    kinds = []
    parts = []
    for value in values[1:]:
        kind = _FORMATTED.get(value.type.name, value.type.name)
        sql = value.sql if kind in ("bigint", "double", "decimal", "boolean", "varchar", "unknown") else spelling(value)
        if kind == "timestamp with time zone":
            sql = f"({sql} || '|' || a_zone_suffix({instant_of(value)}, {zone_of(value)}))"
        if sql is None or kind == "char":
            raise mismatch(place, f"Type {value.type} is not supported by format()")
        kinds.append(kind)
        parts.append(f"cast({sql} as VARCHAR)")
    arguments = f"[{', '.join(parts)}]" if parts else "[]::VARCHAR[]"
    return Value(f"py_format({values[0].sql}, {arguments}, {text(','.join(kinds))})", VARCHAR)


__all__ = ["BIGINT", "attempted", "chosen", "compared", "first_present", "formatted", "item", "like", "listed"]
