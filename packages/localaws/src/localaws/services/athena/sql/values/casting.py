"""CAST as Trino casts ("Conversion functions"): what text spells a value, what is rounded, what is out of range."""

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.macros import ZONE_TEXT
from localaws.services.athena.sql.trino.coercion import can_coerce
from localaws.services.athena.sql.trino.types import (
    ANY_ZONE,
    INTEGERS,
    NUMBERS,
    UNBOUNDED,
    VARCHAR,
    Type,
    field_names,
)
from localaws.services.athena.sql.values.conversion import convert, packed
from localaws.services.athena.sql.values.values import Value, instant_of, local_of, text, zone_of, zoned

_PLAIN_TEXT = (*INTEGERS, "boolean", "date", "decimal", "uuid")


def cast(value: Value, target: Type, place: tuple[int, int]) -> Value:
    """The value as the type. Raises QueryFailed TYPE_MISMATCH for a cast that Trino does not know."""
    source = value.type
    if source == target:
        return value
    if source.name == "unknown":
        return convert(value, target)
    build = _BUILDERS.get(target.name)
    built = build(value, target, place) if build is not None else None
    if built is None:
        raise QueryFailed("TYPE_MISMATCH", f"line {place[0]}:{place[1]}: Cannot cast {source} to {target}")
    return Value(
        built.sql, built.type if built.type.name.startswith("timestamp with") else target, built.instant, built.zone
    )


def _varchar(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    spelled = spelling(value)
    if spelled is None:
        return None
    length = target.sizes[0]
    if length == UNBOUNDED:
        return Value(spelled, target)
    if value.type.name in ("varchar", "char", "json"):
        if value.type.name == "varchar" and value.type.sizes[0] <= length:
            return Value(spelled, target)
        return Value(f"left({spelled}, {length})", target)
    return Value(f"a_fitting({spelled}, {length})", target)


def spelling(value: Value) -> str | None:
    """The text of a scalar, as a cast to varchar gives it."""
    source = value.type
    if source.name in ("varchar", "char"):
        return value.sql
    if source.name in _PLAIN_TEXT:
        return f"cast({value.sql} as VARCHAR)"
    if source.name == "timestamp with time zone":
        return f"(a_time_text({local_of(value)}, {source.sizes[0]}) || ' ' || {zone_of(value)})"
    text_of = _SPELLED.get(source.name)
    return text_of.format(sql=value.sql, size=source.sizes[0] if source.sizes else 0) if text_of else None


_SPELLED = {
    "double": "py_double_text({sql})",
    "real": "py_real_text({sql})",
    "timestamp": "a_time_text({sql}, {size})",
    "time": "a_clock_text({sql}, {size})",
    "json": "py_json_cast({sql}, 'varchar')",
    "interval day to second": "py_days_text({sql})",
    "interval year to month": "py_months_text({sql})",
}


def _char(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    if value.type.name not in ("varchar", "char"):
        return None
    return Value(f"rpad(left({value.sql}, {target.sizes[0]}), {target.sizes[0]}, ' ')", target)


def _integer(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    source = value.type.name
    if source == "varchar":
        return Value(f"a_{target.name}(cast({value.sql} as VARCHAR))", target)
    if source == "json":
        return Value(f"cast(py_json_cast({value.sql}, {text(target.name)}) as {target.duckdb})", target)
    if source in ("double", "real"):
        return Value(f"cast(round({value.sql}) as {target.duckdb})", target)
    if source in (*NUMBERS, "boolean"):
        return Value(f"cast({value.sql} as {target.duckdb})", target)
    return None


def _floating(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    source = value.type.name
    if source == "varchar":
        return Value(f"a_floating({value.sql}, {text(target.name.upper())})::{target.duckdb}", target)
    if source == "json":
        return Value(f"cast(py_json_cast({value.sql}, 'double') as {target.duckdb})", target)
    return Value(f"cast({value.sql} as {target.duckdb})", target) if source in (*NUMBERS, "boolean") else None


def _decimal(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    source = value.type.name
    if source == "varchar":
        return Value(f"cast(a_number_text({value.sql}, {text(str(target).upper())}) as {target.duckdb})", target)
    if source == "json":
        return Value(f"cast(py_json_cast({value.sql}, 'decimal') as {target.duckdb})", target)
    if source in ("double", "real"):
        exact = "py_exact" if source == "double" else "py_exact_real"
        return Value(f"cast({exact}({value.sql}, {target.sizes[1]}) as {target.duckdb})", target)
    return Value(f"cast({value.sql} as {target.duckdb})", target) if source in (*NUMBERS, "boolean") else None


def _boolean(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    source = value.type.name
    if source == "varchar":
        return Value(f"a_boolean({value.sql})", target)
    if source == "json":
        return Value(f"cast(py_json_cast({value.sql}, 'boolean') as BOOLEAN)", target)
    return Value(f"({value.sql} <> 0)", target) if source in NUMBERS else None


def _date(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    if value.type.name == "varchar":
        return Value(f"a_date({value.sql})", target)
    if value.type.name.startswith("timestamp"):
        return Value(f"cast({local_of(value)} as DATE)", target)
    return None


def _timestamp(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    precision = target.sizes[0]
    match value.type.name:
        case "varchar":
            return Value(f"a_rounded_time(a_local_timestamp({value.sql}, {_zone_in(value)}), {precision})", target)
        case "date":
            return Value(f"cast({value.sql} as TIMESTAMP)", target)
        case "time":
            clock = value.sql if value.type.sizes[0] <= precision else f"a_rounded_clock({value.sql}, {precision})"
            return Value(f"(cast(a_now() as DATE) + {clock})", target)
        case "timestamp" | "timestamp with time zone":
            local = local_of(value)
            return Value(local if value.type.sizes[0] <= precision else f"a_rounded_time({local}, {precision})", target)
    return None


def _zone_in(value: Value) -> str:
    """The zone that a text of a time names, else UTC."""
    named = f"py_known_zone(regexp_extract(trim({value.sql}), '\\d ?({ZONE_TEXT})$', 1))"
    return f"(case when a_has_no_zone({value.sql}) then 'UTC' else {named} end)"


def _zoned(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    precision = target.sizes[0]
    match value.type.name:
        case "varchar":
            zone = _zone_in(value)
            return zoned(
                f"a_from_local(a_rounded_time(a_local_timestamp({value.sql}, {zone}), {precision}), {zone})",
                zone,
                precision,
            )
        case "date":
            return Value(f"cast({value.sql} as TIMESTAMP)", Type(target.name, (precision,)))
        case "timestamp":
            local = value.sql if value.type.sizes[0] <= precision else f"a_rounded_time({value.sql}, {precision})"
            return Value(local, Type(target.name, (precision,)))
        case "time":
            clock = value.sql if value.type.sizes[0] <= precision else f"a_rounded_clock({value.sql}, {precision})"
            return Value(f"(cast(a_now() as DATE) + {clock})", Type(target.name, (precision,)))
        case "timestamp with time zone":
            rounded = instant_of(value)
            if value.type.sizes[0] > precision:
                rounded = f"a_rounded_time({rounded}, {precision})"
            if value.type.zone == ANY_ZONE:
                return zoned(rounded, zone_of(value), precision)
            return Value(rounded, Type(target.name, (precision,), zone=value.type.zone))
    return None


def _time(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    places = target.sizes[0]
    if value.type.name == "varchar":
        return Value(f"a_rounded_clock(a_time({value.sql}), {places})", target)
    if value.type.name.startswith("timestamp"):
        clock = f"cast({local_of(value)} as TIME)"
    elif value.type.name == "time":
        clock = value.sql
    else:
        return None
    return Value(clock if value.type.sizes[0] <= places else f"a_rounded_clock({clock}, {places})", target)


def _varbinary(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    return Value(f"encode({value.sql})", target) if value.type.name == "varchar" else None


def _uuid(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    return Value(f"a_uuid({value.sql})", target) if value.type.name == "varchar" else None


def _array(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    if value.type.name == "json":
        return from_json(value, target)
    if value.type.name != "array":
        return None
    inner = cast(Value("item", value.type.children[0]), target.children[0], place)
    inner = convert(inner, target.children[0])
    return Value(f"list_transform({value.sql}, lambda item: {inner.sql})", target)


def _map(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    if value.type.name == "json":
        return from_json(value, target)
    if value.type.name != "map":
        return None
    key = convert(cast(Value('pair."key"', value.type.children[0]), target.children[0], place), target.children[0])
    item = convert(cast(Value('pair."value"', value.type.children[1]), target.children[1], place), target.children[1])
    built = f'struct_pack("key" := {key.sql}, "value" := {item.sql})'
    return Value(f"map_from_entries(list_transform(map_entries({value.sql}), lambda pair: {built}))", target)


def _row(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    if value.type.name == "json":
        return from_json(value, target)
    if value.type.name != "row" or len(value.type.children) != len(target.children):
        return None
    fields = []
    for name, child, inner in zip(field_names(value.type), value.type.children, target.children, strict=True):
        field = cast(Value(f"struct_extract({value.sql}, {text(name)})", child), inner, place)
        fields.append(convert(field, inner).sql)
    return packed(fields, target, f"({value.sql}) is null")


def from_json(value: Value, target: Type) -> Value:
    """A JSON value as a nested type: brought into its shape, then read by the engine."""
    if _holds(target, ("timestamp with time zone", "varbinary", "time", "char")):
        raise not_supported(f"A cast of JSON to {target}")
    shaped = f"py_json_shape({value.sql}, {text(str(target))})"
    return Value(f"cast(cast({shaped} as JSON) as {target.duckdb})", target)


def _holds(kind: Type, names: tuple[str, ...]) -> bool:
    return kind.name in names or any(_holds(child, names) for child in kind.children)


def _json(value: Value, target: Type, place: tuple[int, int]) -> Value | None:
    built = json_text(value)
    return None if built is None else Value(built, target)


def json_text(value: Value) -> str | None:
    """The JSON text of a value; null of a null."""
    source = value.type
    match source.name:
        case "varchar":
            return _json_string(value.sql)
        case "tinyint" | "smallint" | "integer" | "bigint" | "boolean" | "decimal":
            return f"cast({value.sql} as VARCHAR)"
        case "double" | "real":
            return f"py_double_json(cast({value.sql} as DOUBLE))"
        case "date" | "timestamp":
            return f"('\"' || {spelling(value)} || '\"')"
        case "json":
            return value.sql
        case "unknown":
            return f"cast({value.sql} as VARCHAR)"
    return _nested_json(value)


def _json_string(sql: str) -> str:
    return f"(case when a_is_basic({sql}) then cast(to_json({sql}) as VARCHAR) else py_json_text({sql}) end)"


def _nested_json(value: Value) -> str | None:
    source = value.type
    if source.name == "array":
        inner = json_text(Value("part", source.children[0]))
        if inner is None:
            return None
        items = f"list_transform({value.sql}, lambda part: coalesce({inner}, 'null'))"
        return f"('[' || array_to_string({items}, ',') || ']')"
    if source.name == "map":
        key = spelling(Value('entry."key"', source.children[0]))
        inner = json_text(Value('entry."value"', source.children[1]))
        if key is None or inner is None:
            return None
        items = (
            f"list_sort(list_transform(map_entries({value.sql}), lambda entry:"
            f" {_json_string(key)} || ':' || coalesce({inner}, 'null')))"
        )
        return f"('{{' || array_to_string({items}, ',') || '}}')"
    if source.name == "row":
        parts = []
        for name, shown, child in zip(field_names(source), source.fields, source.children, strict=True):
            inner = json_text(Value(f"struct_extract({value.sql}, {text(name)})", child))
            if inner is None:
                return None
            parts.append(f"{text(_quoted(shown or '') + ':')} || coalesce({inner}, 'null')")
        members = " || ',' || ".join(parts)
        return f"(case when ({value.sql}) is not null then '{{' || {members} || '}}' end)"
    return None


def _quoted(name: str) -> str:
    import json

    return json.dumps(name, ensure_ascii=False)


def castable(source: Type, target: Type) -> bool:
    return can_coerce(source, target)


_BUILDERS = {
    "varchar": _varchar, "char": _char, "tinyint": _integer, "smallint": _integer, "integer": _integer,
    "bigint": _integer, "double": _floating, "real": _floating, "decimal": _decimal, "boolean": _boolean,
    "uuid": _uuid, "date": _date, "timestamp": _timestamp, "timestamp with time zone": _zoned, "time": _time,
    "varbinary": _varbinary, "array": _array, "map": _map, "row": _row, "json": _json,
}  # fmt: skip

__all__ = ["VARCHAR", "cast", "castable", "json_text", "spelling"]
