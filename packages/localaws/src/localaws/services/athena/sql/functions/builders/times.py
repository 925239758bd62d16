"""Dates and times: fields, truncation, formats, zones."""

from collections.abc import Sequence

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.python import date_patterns
from localaws.services.athena.sql.python.clocks import zone_name
from localaws.services.athena.sql.trino.types import ANY_ZONE, Type
from localaws.services.athena.sql.values.arithmetic import DAYS, MONTHS, shifted
from localaws.services.athena.sql.values.catalogue import Builder
from localaws.services.athena.sql.values.values import Value, instant_of, local_of, text, zone_of, zoned

_PARTS = {
    "year": "year", "month": "month", "day": "day", "day_of_month": "day", "hour": "hour", "minute": "minute",
    "second": "second", "quarter": "quarter", "week": "week", "week_of_year": "week",
    "day_of_week": "isodow", "dow": "isodow", "day_of_year": "dayofyear", "doy": "dayofyear",
    "year_of_week": "isoyear", "yow": "isoyear",
}  # fmt: skip
_SMALL = {"millisecond": 1, "second": 1000, "minute": 60000, "hour": 3600000, "day": 86400000, "week": 604800000}
_LARGE = {"month": 1, "quarter": 3, "year": 12}
_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_TIME_UNITS = ("millisecond", "second", "minute", "hour")


def _field(name: str) -> Builder:
    def build(arguments: Sequence[Value], result: Type) -> Value:
        local = local_of(arguments[0])
        if name == "millisecond":
            return Value(f"cast(millisecond({local}) % 1000 as BIGINT)", result)
        return Value(f"cast({_PARTS[name]}({local}) as BIGINT)", result)

    return build


def _interval_field(name: str) -> Builder:
    ranges = {"day": 10**9, "hour": 24, "minute": 60, "second": 60}

    def build(arguments: Sequence[Value], result: Type) -> Value:
        return Value(f"cast(trunc({arguments[0].sql} / {_SMALL[name]}.0) % {ranges[name]} as BIGINT)", result)

    return build


def _unit(value: Value, kind: Type) -> str:
    if not isinstance(value.constant, str):
        raise not_supported("A time unit that is no literal")
    name = value.constant.lower()
    units = {"date": _DATE_UNITS, "time": _TIME_UNITS}.get(kind.name, (*_SMALL, *_LARGE))
    if name not in units:
        shown = kind.name.upper() if kind.name in ("date", "time") else "TIMESTAMP"
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"'{value.constant}' is not a valid {shown} field")
    return name


def _relocated(local: str, value: Value) -> Value:
    """A wall clock in the zone of a value."""
    if value.type.zone == "UTC":
        return Value(local, value.type)
    instant = f"a_from_local({local}, {zone_of(value)})"
    return (
        zoned(instant, zone_of(value), value.type.sizes[0])
        if value.type.zone == ANY_ZONE
        else Value(instant, value.type)
    )


def _date_trunc(arguments: Sequence[Value], _: Type) -> Value:
    value = arguments[1]
    if not isinstance(arguments[0].constant, str) and value.type.name != "timestamp with time zone":
        truncated = f"date_trunc(a_unit({arguments[0].sql}), {value.sql})"
        return Value(f"cast({truncated} as {value.type.duckdb})", value.type)
    name = _unit(arguments[0], value.type)
    if value.type.name == "time":
        size = f"{_SMALL[name] * 1000}"
        return Value(f"(time '00:00:00' + to_microseconds(epoch_us({value.sql}) // {size} * {size}))", value.type)
    if name == "millisecond" and value.type.name == "timestamp":
        return Value(f"a_floored_time({value.sql}, 3)", value.type)
    if name in _TIME_UNITS and value.type.name == "timestamp with time zone":
        return _within_hour(name, value)
    truncated = f"date_trunc('{name}', {local_of(value)})"
    if value.type.name == "timestamp with time zone":
        return _relocated(truncated, value)
    return Value(f"cast({truncated} as {value.type.duckdb})", value.type)


def _within_hour(unit: str, value: Value) -> Value:
    """Truncated to a part of the day, by which the wall clock and the instant differ from their whole alike."""
    local = local_of(value)
    whole = f"a_floored_time({local}, 3)" if unit == "millisecond" else f"date_trunc('{unit}', {local})"
    instant = f"({instant_of(value)} - ({local} - {whole}))"
    if value.type.zone == ANY_ZONE:
        return zoned(instant, zone_of(value), value.type.sizes[0])
    return Value(instant, value.type)


def _date_add(arguments: Sequence[Value], _: Type) -> Value:
    unit, amount, value = arguments
    name = _unit(unit, value.type)
    if name in _LARGE:
        return shifted(value, f"({amount.sql}) * {_LARGE[name]}", MONTHS)
    moved = f"({amount.sql}) * {_SMALL[name]}"
    if value.type.name in ("date", "time") or value.type.zone == "UTC" or name not in ("day", "week"):
        return shifted(value, moved, DAYS)
    return _relocated(
        f"{local_of(value)} + to_days(cast({amount.sql} as INTEGER) * {7 if name == 'week' else 1})", value
    )


def _date_diff(arguments: Sequence[Value], result: Type) -> Value:
    unit, first, second = arguments
    name = _unit(unit, first.type)
    if first.type.name == "time":
        return Value(
            f"cast(trunc((epoch_us({second.sql}) - epoch_us({first.sql})) / {_SMALL[name]}000.0) as BIGINT)", result
        )
    if first.type.name == "timestamp with time zone" and name not in _LARGE and name not in ("day", "week"):
        return Value(f"date_sub('{name}', {instant_of(first)}, {instant_of(second)})", result)
    if first.type.name == "timestamp with time zone":
        there = f"a_in_zone({instant_of(second)}, {zone_of(first)})"
        return Value(f"a_date_diff('{name}', {local_of(first)}, {there})", result)
    return Value(f"a_date_diff('{name}', {first.sql}::TIMESTAMP, {second.sql}::TIMESTAMP)", result)


def _date_format(arguments: Sequence[Value], result: Type) -> Value:
    value, pattern = arguments
    if isinstance(pattern.constant, str):
        engine = date_patterns.mysql_format(pattern.constant)
        return Value(f"strftime({local_of(value)}, {text(engine)})", result)
    return Value(f"py_mysql_format({local_of(value)}, {pattern.sql})", result)


def _format_datetime(arguments: Sequence[Value], result: Type) -> Value:
    value, pattern = arguments
    is_zoned = value.type.name == "timestamp with time zone"
    if isinstance(pattern.constant, str):
        engine = date_patterns.plain_joda(pattern.constant)
        if engine is not None:
            return Value(f"strftime({local_of(value)}, {text(engine)})", result)
        if not is_zoned and date_patterns.names_zone(pattern.constant):
            raise QueryFailed(
                "INVALID_FUNCTION_ARGUMENT",
                "format_datetime for TIMESTAMP type, cannot use 'Z' nor 'z' in format, as this type does not contain TZ"
                " information",
            )
    zone = zone_of(value) if is_zoned else "null"
    return Value(f"py_joda_format({local_of(value)}, {pattern.sql}, {zone})", result)


def _date_parse(arguments: Sequence[Value], result: Type) -> Value:
    value, pattern = arguments
    if isinstance(pattern.constant, str):
        engine = date_patterns.mysql_format(pattern.constant)
        year = date_patterns.default_year(pattern.constant)
        if year is not None:
            return Value(f"a_floored_time(strptime('{year} ' || {value.sql}, {text('%Y ' + engine)}), 3)", result)
        return Value(f"a_floored_time(strptime({value.sql}, {text(engine)}), 3)", result)
    return Value(f"cast(py_mysql_parse({value.sql}, {pattern.sql}) as TIMESTAMP)", result)


def _parse_datetime(arguments: Sequence[Value], _: Type) -> Value:
    value, pattern = arguments
    parsed = f"py_joda_parse({value.sql}, {pattern.sql})"
    instant = f"make_timestamp(cast(split_part({parsed}, '|', 1) as BIGINT))"
    if isinstance(pattern.constant, str) and not date_patterns.names_zone(pattern.constant):
        return Value(instant, Type("timestamp with time zone", (3,)))
    return zoned(instant, f"split_part({parsed}, '|', 2)")


def _from_iso(arguments: Sequence[Value], _: Type) -> Value:
    (value,) = arguments
    is_plain = f"a_is_plain_iso({value.sql})"
    other = f"make_timestamp(py_iso_instant({value.sql}))"
    return zoned(
        f"(case when {is_plain} then a_iso({value.sql}) else {other} end)",
        f"(case when {is_plain} then a_iso_zone({value.sql}) else py_iso_zone({value.sql}) end)",
    )


def _date_from_iso(arguments: Sequence[Value], result: Type) -> Value:
    (value,) = arguments
    is_plain = rf"regexp_full_match({value.sql}, '\d{{4}}-\d\d-\d\d')"
    return Value(f"cast((case when {is_plain} then {value.sql} else py_iso_date({value.sql}) end) as DATE)", result)


def _to_iso(arguments: Sequence[Value], result: Type) -> Value:
    (value,) = arguments
    local = f"replace(a_time_text({local_of(value)}, {value.type.sizes[0]}), ' ', 'T')"
    if value.type.name == "timestamp":
        return Value(local, result)
    return Value(f"({local} || a_zone_suffix({instant_of(value)}, {zone_of(value)}))", result)


def _from_unixtime(arguments: Sequence[Value], _: Type) -> Value:
    instant = f"a_from_unixtime({arguments[0].sql})"
    if len(arguments) == 1:
        return Value(instant, Type("timestamp with time zone", (3,)))
    if len(arguments) == 3:
        return zoned(instant, f"a_offset_name({arguments[1].sql} * 60 + {arguments[2].sql})")
    return _in_zone(instant, arguments[1], 3)


def _in_zone(instant: str, zone: Value, precision: int) -> Value:
    if isinstance(zone.constant, str):
        return Value(instant, Type("timestamp with time zone", (precision,), zone=zone_name(zone.constant)))
    return zoned(instant, f"py_zone_name({zone.sql})", precision)


def _at_timezone(arguments: Sequence[Value], _: Type) -> Value:
    value, zone = arguments
    return _in_zone(instant_of(value), zone, value.type.sizes[0])


def _with_timezone(arguments: Sequence[Value], _: Type) -> Value:
    value, zone = arguments
    name = text(zone_name(zone.constant)) if isinstance(zone.constant, str) else f"py_zone_name({zone.sql})"
    return _in_zone(f"a_from_local({value.sql}, {name})", zone, value.type.sizes[0])


def _offset(divisor: int, modulus: int) -> Builder:
    def build(arguments: Sequence[Value], result: Type) -> Value:
        (value,) = arguments
        minutes = f"a_offset_minutes({instant_of(value)}, {zone_of(value)})"
        return Value(f"cast(trunc({minutes} / {divisor}.0) % {modulus} as BIGINT)", result)

    return build


def _date_of(arguments: Sequence[Value], result: Type) -> Value:
    return Value(f"cast({local_of(arguments[0])} as DATE)", result)


def _last_day_of(arguments: Sequence[Value], result: Type) -> Value:
    return Value(f"last_day({local_of(arguments[0])})", result)


def _to_unixtime(arguments: Sequence[Value], result: Type) -> Value:
    return Value(f"(epoch_us({instant_of(arguments[0])}) / 1e6)", result)


def _sequence(arguments: Sequence[Value], result: Type) -> Value:
    start, stop, step = arguments
    kind = max(start.type, stop.type, key=lambda item: item.sizes[0])
    name = "a_sequence_times" if step.type == DAYS else "a_sequence_months"
    return Value(f"{name}({start.sql}, {stop.sql}, {step.sql})", Type("array", (), (kind,)))


BUILDERS: dict[str, Builder] = {
    **{f"field_{name}": _field(name) for name in (*_PARTS, "millisecond")},
    **{f"interval_{name}": _interval_field(name) for name in ("day", "hour", "minute", "second")},
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_format": _date_format,
    "format_datetime": _format_datetime,
    "date_parse": _date_parse,
    "parse_datetime": _parse_datetime,
    "from_iso8601_timestamp": _from_iso,
    "from_iso8601_date": _date_from_iso,
    "to_iso8601": _to_iso,
    "from_unixtime": _from_unixtime,
    "to_unixtime": _to_unixtime,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "timezone_hour": _offset(60, 100),
    "timezone_minute": _offset(1, 60),
    "date_of_instant": _date_of,
    "last_day_of_instant": _last_day_of,
    "sequence_times": _sequence,
    "sequence_months": _sequence,
}
