"""Arithmetic as Trino types it ("Mathematical operators", "Decimal functions and operators", "Interval")."""

from dataclasses import replace

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.coercion import as_decimal, common
from localaws.services.athena.sql.trino.types import (
    ANY_ZONE,
    BIGINT,
    DAYS,
    DOUBLE,
    INTEGERS,
    MONTHS,
    NUMBERS,
    Type,
    decimal,
)
from localaws.services.athena.sql.values.conversion import convert
from localaws.services.athena.sql.values.values import Value, instant_of, zone_of, zoned

_DIGITS = 38
_INTERVALS = ("interval day to second", "interval year to month")
_MOMENTS = ("date", "timestamp", "timestamp with time zone", "time")
_MILLISECONDS = 3  # digits that an interval of days and seconds has


def mismatch(place: tuple[int, int], message: str) -> QueryFailed:
    return QueryFailed("TYPE_MISMATCH", f"line {place[0]}:{place[1]}: {message}")


def arithmetic(sign: str, left: Value, right: Value, place: tuple[int, int]) -> Value:
    """The result of `left sign right`. Raises QueryFailed TYPE_MISMATCH."""
    left, right = _typed_null(left, right), _typed_null(right, left)
    if left.type.name in NUMBERS and right.type.name in NUMBERS:
        return _numbers(sign, left, right)
    built = _moments(sign, left, right) or _intervals(sign, left, right)
    if built is None:
        raise mismatch(place, f"Cannot apply operator: {left.type} {sign} {right.type}")
    return built


def _typed_null(value: Value, other: Value) -> Value:
    """A null takes the type of the other side."""
    if value.type.name != "unknown":
        return value
    return convert(value, BIGINT if other.type.name == "unknown" else other.type)


def _numbers(sign: str, left: Value, right: Value) -> Value:
    kind = common(left.type, right.type) or DOUBLE
    if kind.name == "decimal":
        return _decimals(sign, left, right)
    first = convert(left, kind).sql
    second = convert(right, kind).sql
    if sign == "/":
        return Value(f"{'a_div_integer' if kind.name in INTEGERS else 'a_div_double'}({first}, {second})", kind)
    if sign == "%":
        return Value(f"{'a_mod_exact' if kind.name in INTEGERS else 'a_mod_double'}({first}, {second})", kind)
    return Value(f"cast(({first} {sign} {second}) as {kind.duckdb})", kind)


def _decimals(sign: str, left: Value, right: Value) -> Value:
    precision, scale = as_decimal(left.type).sizes
    other_precision, other_scale = as_decimal(right.type).sizes
    widest = max(scale, other_scale)
    match sign:
        case "+" | "-":
            whole = max(precision - scale, other_precision - other_scale)
            kind = decimal(min(_DIGITS, whole + widest + 1), widest)
            first = f"cast({left.sql} as {kind.duckdb})"
            return Value(f"cast({first} {sign} cast({right.sql} as {kind.duckdb}) as {kind.duckdb})", kind)
        case "*":
            return _product(convert(left, as_decimal(left.type)), convert(right, as_decimal(right.type)))
        case "/":
            kind = decimal(min(_DIGITS, precision + other_scale + max(other_scale - scale, 0)), widest)
            return quotient(left, right, kind)
    whole = min(precision - scale, other_precision - other_scale)
    kind = decimal(max(min(_DIGITS, whole + widest), 1), widest)
    wide = f"DECIMAL(38, {widest})"
    return Value(f"cast(a_mod_exact(cast({left.sql} as {wide}), cast({right.sql} as {wide})) as {kind.duckdb})", kind)


def _product(left: Value, right: Value) -> Value:
    scale = left.type.sizes[1] + right.type.sizes[1]
    if scale > _DIGITS:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"DECIMAL scale must be in range [0, precision (38)]: {scale}")
    kind = decimal(min(_DIGITS, left.type.sizes[0] + right.type.sizes[0]), scale)
    return Value(f"cast(({left.sql}) * ({right.sql}) as {kind.duckdb})", kind)


def unscaled(value: Value) -> str:
    """A decimal or integer without its point, as a HUGEINT."""
    if value.type.name in INTEGERS:
        return f"cast({value.sql} as HUGEINT)"
    precision, scale = value.type.sizes
    if scale == 0:
        return f"cast({value.sql} as HUGEINT)"
    if precision + scale <= _DIGITS:
        return (
            f"cast(cast({value.sql} as DECIMAL({min(_DIGITS, precision + scale)}, {scale})) * {10**scale} as HUGEINT)"
        )
    return f"cast(replace(cast({value.sql} as VARCHAR), '.', '') as HUGEINT)"


def scaled(units: str, kind: Type) -> Value:
    """A HUGEINT as a decimal with that many units of its last place."""
    scale = kind.sizes[1]
    if scale == 0:
        return Value(f"cast({units} as {kind.duckdb})", kind)
    unit = f"0.{'0' * (scale - 1)}1::DECIMAL({scale}, {scale})"
    return Value(f"cast(cast({units} as DECIMAL(38, 0)) * {unit} as {kind.duckdb})", kind)


def quotient(left: Value, right: Value, kind: Type) -> Value:
    """Left / right as the decimal type, rounded half away from zero."""
    scale = left.type.sizes[1] if left.type.name == "decimal" else 0
    other = right.type.sizes[1] if right.type.name == "decimal" else 0
    factor = 10 ** (kind.sizes[1] + other - scale)
    dividend = f"{unscaled(left)} * {factor}::HUGEINT" if factor != 1 else unscaled(left)
    return scaled(f"a_divided({dividend}, {unscaled(right)})", kind)


def _moments(sign: str, left: Value, right: Value) -> Value | None:
    if sign == "+" and left.type.name in _INTERVALS and right.type.name in _MOMENTS:
        left, right = right, left
    if left.type.name in _MOMENTS and right.type.name in _INTERVALS and sign in "+-":
        if left.type.name == "time" and right.type != DAYS:
            return None
        return shifted(_finer(left, right), f"-({right.sql})" if sign == "-" else right.sql, right.type)
    if sign == "-" and left.type.name in _MOMENTS and right.type.name in _MOMENTS:
        kind = common(left.type, right.type) or left.type
        first = instant_of(convert(left, kind)) if kind.name == "timestamp with time zone" else convert(left, kind).sql
        second = (
            instant_of(convert(right, kind)) if kind.name == "timestamp with time zone" else convert(right, kind).sql
        )
        if kind.name == "date":
            return Value(f"cast(({first} - {second}) as BIGINT) * 86400000", DAYS)
        if kind.name == "time":
            return Value(f"((epoch_us({first}) - epoch_us({second})) // 1000)", DAYS)
        return Value(f"(epoch_us({first}) - epoch_us({second})) // 1000", DAYS)
    return None


def _finer(value: Value, interval: Value) -> Value:
    """A moment with the digits that an interval of days and seconds may give it."""
    if interval.type != DAYS or value.type.name == "date" or value.type.sizes[0] >= _MILLISECONDS:
        return value
    return replace(value, type=replace(value.type, sizes=(_MILLISECONDS,)))


def shifted(value: Value, amount: str, interval: Type) -> Value:
    """A moment later by milliseconds or months; a zone's wall clock counts for months."""
    months = interval.name == "interval year to month"
    step = f"to_months(cast({amount} as INTEGER))" if months else f"to_microseconds(cast({amount} as BIGINT) * 1000)"
    if value.type.name == "date":
        days = step if months else f"to_days(cast(a_whole_days({amount}) as INTEGER))"
        return Value(f"cast({value.sql} + {days} as DATE)", value.type)
    if value.type.name in ("timestamp", "time") or value.type.zone == "UTC":
        return Value(f"({value.sql} + {step})", value.type)
    moved = f"({instant_of(value)} + {step})"
    if months:
        moved = f"a_from_local(a_in_zone({instant_of(value)}, {zone_of(value)}) + {step}, {zone_of(value)})"
    if value.type.zone == ANY_ZONE:
        return zoned(moved, zone_of(value), value.type.sizes[0])
    return Value(moved, value.type)


def _intervals(sign: str, left: Value, right: Value) -> Value | None:
    if left.type == right.type and left.type.name in _INTERVALS and sign in "+-":
        return Value(f"({left.sql} {sign} {right.sql})", left.type)
    if sign == "*" and left.type.name in NUMBERS and right.type.name in _INTERVALS:
        left, right = right, left
    if left.type.name in _INTERVALS and right.type.name in NUMBERS and sign in "*/":
        engine = "BIGINT" if left.type == DAYS else "INTEGER"
        if sign == "*" and right.type.name in INTEGERS:
            return Value(f"cast({left.sql} * {right.sql} as {engine})", left.type)
        factor = convert(right, DOUBLE).sql
        return Value(f"cast(trunc({left.sql} {sign} {factor}) as {engine})", left.type)
    return None


__all__ = ["DAYS", "MONTHS", "arithmetic", "mismatch", "quotient", "scaled", "shifted", "unscaled"]
