"""Aggregates that are more than one call of the engine's."""

from collections.abc import Sequence

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.functions.builders import collections, numbers
from localaws.services.athena.sql.trino.types import INTEGERS, Type, array
from localaws.services.athena.sql.values.catalogue import Builder
from localaws.services.athena.sql.values.comparison import is_orderable
from localaws.services.athena.sql.values.conversion import comparable, sortable
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
        return Value(f"{name}(%D{sortable(value) if value.type.name == 'array' else value.sql})%M", value.type)

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
    place = f"a_share({share.sql})"
    if share.type.name == "array":
        place = f"list_transform({share.sql}, lambda share: a_share(share))"
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


def _by(name: str) -> Builder:
    """min_by and max_by: the value of the row with the least or greatest key."""

    def build(arguments: Sequence[Value], result: Type) -> Value:
        value, key = arguments
        if not is_orderable(key.type):
            raise QueryFailed("FUNCTION_NOT_FOUND", f"Unexpected parameters ({key.type}) for function {name}_by")
        return Value(f"arg_{name}_null({value.sql}, {sortable(key)})%M", result)

    return build


def _moment(name: str) -> Builder:
    """Skewness and kurtosis, from the values one by one."""

    def build(arguments: Sequence[Value], result: Type) -> Value:
        values = f"list_filter(list({arguments[0].sql})%M, lambda item: item is not null)"
        return Value(f"py_{name}({values})", result)

    return build


def _reduce(arguments: Sequence[Value], result: Type) -> Value:
    """reduce_agg: the values that are not null, folded in any order."""
    value, start, step, _ = arguments
    present = Value(f"list_filter(list({value.sql})%M, lambda item: item is not null)", array(value.type))
    final = Value("folded_state", start.type, parameters=("folded_state",))
    folded = collections.BUILDERS["reduce"]((present, start, step, final), result)
    return Value(f"(case when len({present.sql}) > 0 then {folded.sql} end)", result)


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
    "skewness": _moment("skewness"),
    "kurtosis": _moment("kurtosis"),
    "min_by": _by("min"),
    "max_by": _by("max"),
    "reduce_agg": _reduce,
    "sum_decimal": numbers.sum_decimal,
    "avg_decimal": numbers.avg_decimal,
}
