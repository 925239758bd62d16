"""Rounding of decimals, and other functions whose result type depends on an argument's digits."""

from collections.abc import Sequence

from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.sql.trino.types import INTEGERS, Type, decimal
from localaws.services.athena.sql.values.arithmetic import scaled, unscaled
from localaws.services.athena.sql.values.catalogue import Builder
from localaws.services.athena.sql.values.values import Value

_DIGITS = 38


def _whole(macro: str) -> Builder:
    """To a decimal without places: the macro divides the digits by a power of ten."""

    def build(arguments: Sequence[Value], _: Type) -> Value:
        precision, scale = arguments[0].type.sizes
        kind = decimal(min(_DIGITS, precision - scale + min(scale, 1)) or 1, 0)
        if scale == 0:
            return Value(f"cast({arguments[0].sql} as {kind.duckdb})", kind)
        return scaled(f"{macro}({unscaled(arguments[0])}, {10**scale}::HUGEINT)", kind)

    return build


def _truncated(arguments: Sequence[Value], _: Type) -> Value:
    precision, scale = arguments[0].type.sizes
    kind = decimal(max(precision - scale, 1), 0)
    return scaled(f"a_truncated({unscaled(arguments[0])}, {10**scale}::HUGEINT)", kind)


def _places(macro: str, *, wider: int) -> Builder:
    """To a constant number of places, at the argument's own scale."""

    def build(arguments: Sequence[Value], _: Type) -> Value:
        places = arguments[1].constant
        if not isinstance(places, int):
            raise not_supported("Rounding of a decimal to a number of places that is no literal")
        precision, scale = arguments[0].type.sizes
        kind = decimal(min(_DIGITS, precision + wider), scale)
        if places >= scale:
            return Value(f"cast({arguments[0].sql} as {kind.duckdb})", kind)
        if scale - places > _DIGITS - 1:
            return Value(f"cast(0 * ({arguments[0].sql}) as {kind.duckdb})", kind)
        step = f"{10 ** (scale - places)}::HUGEINT"
        return scaled(f"{macro}({unscaled(arguments[0])}, {step}) * {step}", kind)

    return build


def _sign(arguments: Sequence[Value], _: Type) -> Value:
    kind = decimal(1, 0)
    return Value(f"cast(sign({arguments[0].sql}) as {kind.duckdb})", kind)


def _round_integer(arguments: Sequence[Value], _: Type) -> Value:
    """round(integer, places): only negative places change anything."""
    value, places = arguments
    return Value(f"cast(a_round_integer({value.sql}, {places.sql}) as {value.type.duckdb})", value.type)


def _random_below(arguments: Sequence[Value], _: Type) -> Value:
    (bound,) = arguments
    return Value(f"cast(floor(random() * a_positive_bound({bound.sql})) as {bound.type.duckdb})", bound.type)


def _random_between(arguments: Sequence[Value], _: Type) -> Value:
    low, high = arguments
    return Value(
        f"cast(a_start_below({low.sql}, {high.sql}) + floor(random() * ({high.sql} - {low.sql})) as {low.type.duckdb})",
        low.type,
    )


def sum_decimal(arguments: Sequence[Value], _: Type) -> Value:
    kind = decimal(_DIGITS, arguments[0].type.sizes[1])
    return Value(f"cast(sum(%D{arguments[0].sql})%M as {kind.duckdb})", kind)


def avg_decimal(arguments: Sequence[Value], _: Type) -> Value:
    """The average at the argument's own scale, rounded half away from zero."""
    (value,) = arguments
    total = decimal(_DIGITS, value.type.sizes[1])
    units = unscaled(Value(f"sum(%D{value.sql})%M", total))
    return scaled(f"a_divided({units}, nullif(count(%D{value.sql})%M, 0)::HUGEINT)", value.type)


BUILDERS: dict[str, Builder] = {
    "sign_decimal": _sign,
    "ceil_decimal": _whole("a_ceiled"),
    "floor_decimal": _whole("a_floored"),
    "round_decimal": _whole("a_divided"),
    "truncate_decimal": _truncated,
    "round_places": _places("a_divided", wider=1),
    "truncate_places": _places("a_truncated", wider=0),
    "round_integer": _round_integer,
    "random_below": _random_below,
    "random_between": _random_between,
    "sum_decimal": sum_decimal,
    "avg_decimal": avg_decimal,
}
__all__ = ["BUILDERS", "INTEGERS", "unscaled"]
