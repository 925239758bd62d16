"""Values turned into the type that an operator or function asks for, where Trino does so by itself."""

from localaws.services.athena.sql.trino.types import ANY_ZONE, Type, field_names, identifier, is_any_zone
from localaws.services.athena.sql.values.values import Value, instant_of, local_of, text, zone_of, zoned


def convert(value: Value, target: Type) -> Value:
    """The value as the type, to which it can be coerced."""
    source = value.type
    if source == target:
        return value
    if source.name == "unknown":
        return _null(value, target)
    if target.name == "timestamp with time zone":
        return _with_zone(value, target)
    if target.name == "char":
        return Value(f"rpad({value.sql}, {target.sizes[0]}, ' ')", target)
    if is_plain(source, target):
        if source.duckdb == target.duckdb:
            return Value(value.sql, target, constant=value.constant)
        return Value(f"cast({value.sql} as {target.duckdb})", target, constant=value.constant)
    if target.name == "array":
        inner = convert(Value("element", source.children[0]), target.children[0])
        return Value(f"list_transform({value.sql}, lambda element: {inner.sql})", target)
    if target.name == "map":
        key = convert(Value('entry."key"', source.children[0]), target.children[0])
        item = convert(Value('entry."value"', source.children[1]), target.children[1])
        entries = (
            f"list_transform(map_entries({value.sql}),"
            f' lambda entry: struct_pack("key" := {key.sql}, "value" := {item.sql}))'
        )
        return Value(f"map_from_entries({entries})", target)
    if target.name == "row":
        return _row(value, target)
    return Value(f"cast({value.sql} as {target.duckdb})", target)


def _null(value: Value, target: Type) -> Value:
    if is_any_zone(target):
        return zoned("cast(null as TIMESTAMP)", "cast(null as VARCHAR)", target.sizes[0])
    return Value(f"cast({value.sql} as {target.duckdb})", target)


def is_plain(source: Type, target: Type) -> bool:
    """Whether the engine's own cast does it at every depth."""
    if source.name == "unknown":
        return True
    if "timestamp with time zone" in (source.name, target.name) or target.name == "char":
        return source == target
    if source.name == "row" and field_names(source) != field_names(target):
        return False
    return all(is_plain(inner, outer) for inner, outer in zip(source.children, target.children, strict=False))


def _with_zone(value: Value, target: Type) -> Value:
    if value.type.name == "date":
        value = Value(f"cast({value.sql} as TIMESTAMP)", Type("timestamp", (0,)))
    if value.type.name == "timestamp":
        return Value(value.sql, target) if target.zone != ANY_ZONE else zoned(value.sql, text("UTC"), target.sizes[0])
    if target.zone == ANY_ZONE and value.type.zone != ANY_ZONE:
        return zoned(value.sql, zone_of(value), target.sizes[0])
    return Value(value.sql, target, value.instant, value.zone)


def _row(value: Value, target: Type) -> Value:
    names = field_names(value.type)
    fields = [
        convert(Value(f"struct_extract({value.sql}, {text(name)})", child), inner).sql
        for name, child, inner in zip(names, value.type.children, target.children, strict=True)
    ]
    return packed(fields, target, f"({value.sql}) is null")


def packed(fields: list[str], target: Type, missing: str = "") -> Value:
    """A row made of its fields' expressions; null where `missing` holds."""
    pairs = zip(field_names(target), fields, strict=True)
    built = f"struct_pack({', '.join(f'{identifier(name)} := {field}' for name, field in pairs)})"
    return Value(f"(case when {missing} then null else {built} end)" if missing else built, target)


def comparable(value: Value) -> str:
    """The engine's text of a value that is compared: of a timestamp with zone, its instant."""
    if value.type.name == "timestamp with time zone":
        return instant_of(value)
    return value.sql


def sortable(value: Value) -> str:
    """The engine's text of a value that is sorted by: an array with a null in it cannot be."""
    if value.type.name == "array":
        return f"a_sortable({value.sql})"
    return comparable(value)


__all__ = ["comparable", "convert", "is_plain", "local_of", "packed", "sortable"]
