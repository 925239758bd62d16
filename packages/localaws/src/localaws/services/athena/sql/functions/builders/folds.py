"""Aggregates that are more than one call of the engine's."""

from collections.abc import Sequence

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.functions.builders import numbers
from localaws.services.athena.sql.trino.types import INTEGERS, Type
from localaws.services.athena.sql.values.catalogue import Builder
from localaws.services.athena.sql.values.comparison import is_orderable
from localaws.services.athena.sql.values.conversion import comparable
from localaws.services.athena.sql.values.values import Value, instant_of


def _extreme(name: str) -> Builder:
    """Min and max: NaN counts only where there is nothing else."""

    def build(arguments: Sequence[Value], result: Type) -> Value:
        (value,) = arguments
        if not is_orderable(value.type):
            raise QueryFailed("FUNCTION_NOT_FOUND", f"Unexpected parameters ({value.type}) for function {name}")
        if value.type.name in ("double", "real"):
            numbers_only = f"{name}(case when not isnan({value.sql}) then {value.sql} end)%M"
            return Value(f"coalesce({numbers_only}, {name}({value.sql})%M)", value.type)
        return Value(f"{name}(%D{value.sql})%M", value.type)

    return build


def _by_count(name: str, direction: str) -> Builder:
    """The first values by key: those without a key do not count."""

    def build(arguments: Sequence[Value], result: Type) -> Value:
        value, key, count = arguments
        if not isinstance(count.constant, int) or count.constant < 1:
            raise not_supported(f"{name} with a count that is no positive literal")
        pairs = f"list(struct_pack(k := {key.sql}, v := {value.sql}) order by {comparable(key)} {direction})%M"
        present = f"list_filter({pairs}, lambda pair: pair.k is not null)[1:{count.constant}]"
        values = f"list_transform({present}, lambda pair: pair.v)"
        return Value(f"(case when len({present}) > 0 then {values} end)", result)

    return build


_SHORT_DECIMAL = 18  # digits that Trino keeps in one word


def _approx_distinct(arguments: Sequence[Value], result: Type) -> Value:
    if len(arguments) > 1:
        raise not_supported("approx_distinct with a standard error")
    (value,) = arguments
    kind = value.type
    if kind.name in ("boolean", "unknown"):
        return Value(f"count(distinct {value.sql})%M", result)
    if kind.name in ("varchar", "char", "json"):
        hashed, form = value.sql, "texts"
    elif kind.name == "double":
        hashed, form = value.sql, "doubles"
    else:
        hashed, form = _word(value), "integers"
    present = f"list_filter(list(distinct {hashed})%M, lambda item: item is not null)"
    return Value(f"(case when len({present}) > 0 then py_distinct_{form}({present}) else 0 end)", result)


def _word(value: Value) -> str:
    """The integer that stands for a value in Trino's memory."""
    kind = value.type
    if kind.name in INTEGERS:
        return f"cast({value.sql} as BIGINT)"
    if kind.name == "date":
        return f"cast({value.sql} - date '1970-01-01' as BIGINT)"
    if kind.name == "timestamp":
        return f"epoch_us({value.sql})"
    if kind.name == "timestamp with time zone":
        return f"epoch_ms({instant_of(value)})"
    if kind.name == "decimal" and kind.sizes[0] <= _SHORT_DECIMAL:
        return f"cast({numbers.unscaled(value)} as BIGINT)"
    raise not_supported(f"approx_distinct of {kind}")


def _percentile(arguments: Sequence[Value], result: Type) -> Value:
    """The value at floor(share * count), as a digest of few values gives it; the engine's own rounds up."""
    value, share = arguments
    if value.type.name in ("double", "real"):
        value = Value(f"a_finite({value.sql})", value.type)
    place = f"least({share.sql} + 1e-12, 1)"
    if share.type.name == "array":
        place = f"list_transform({share.sql}, lambda share: least(share + 1e-12, 1))"
    return Value(f"cast(quantile_disc({value.sql}, {place})%M as {result.duckdb})", result)


def _weighted(arguments: Sequence[Value], result: Type) -> Value:
    raise not_supported("approx_percentile with weights")


def _histogram(arguments: Sequence[Value], result: Type) -> Value:
    (value,) = arguments
    counts = f"cast(histogram({value.sql})%M as {result.duckdb})"
    return Value(f"a_in_order({counts}, list({value.sql})%M)", result)


def _pair(arguments: Sequence[Value]) -> str:
    key, item = arguments
    return f"list(case when {key.sql} is not null then struct_pack(k := {key.sql}, v := {item.sql}) end%O)%M"


def _map_agg(arguments: Sequence[Value], result: Type) -> Value:
    return Value(f"a_filled(a_map_of_pairs({_pair(arguments)}))", result)


def _multimap_agg(arguments: Sequence[Value], result: Type) -> Value:
    return Value(f"a_filled(a_multimap_of_pairs({_pair(arguments)}))", result)


def _map_union(arguments: Sequence[Value], result: Type) -> Value:
    entries = f"list(map_entries({arguments[0].sql}))%M"
    present = f"len(list_filter({entries}, lambda entries: entries is not null)) > 0"
    return Value(f"(case when {present} then a_filled(a_map_of_entries(flatten({entries}))) end)", result)


def _skewness(arguments: Sequence[Value], result: Type) -> Value:
    raise not_supported("skewness and kurtosis")


BUILDERS: dict[str, Builder] = {
    "min": _extreme("min"),
    "max": _extreme("max"),
    "max_by_count": _by_count("max_by", "desc"),
    "min_by_count": _by_count("min_by", "asc"),
    "approx_distinct": _approx_distinct,
    "percentile": _percentile,
    "weighted": _weighted,
    "histogram": _histogram,
    "map_agg": _map_agg,
    "multimap_agg": _multimap_agg,
    "map_union": _map_union,
    "skewness": _skewness,
    "kurtosis": _skewness,
    "sum_decimal": numbers.sum_decimal,
    "avg_decimal": numbers.avg_decimal,
}
