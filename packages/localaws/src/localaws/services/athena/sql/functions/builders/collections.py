"""Arrays and maps: functions with lambdas, and those that make rows."""

from collections.abc import Sequence
from itertools import combinations as chosen_places

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.trino.coercion import common
from localaws.services.athena.sql.trino.types import Type, row
from localaws.services.athena.sql.values.casting import spelling
from localaws.services.athena.sql.values.catalogue import Builder
from localaws.services.athena.sql.values.comparison import is_orderable
from localaws.services.athena.sql.values.conversion import convert, packed, sortable
from localaws.services.athena.sql.values.values import Value, instant_of


def _field(value: str, number: int) -> str:
    return f"struct_extract({value}, 'field{number}')"


def _concat_arrays(arguments: Sequence[Value], result: Type) -> Value:
    if len(arguments) == 1:
        return arguments[0]
    built = arguments[0].sql
    for argument in arguments[1:]:
        built = f"list_concat_strict({built}, {argument.sql})"
    return Value(built, result)


def _join(arguments: Sequence[Value], result: Type) -> Value:
    element = arguments[0].type.children[0]
    shown = spelling(Value("part", element)) if element.name != "unknown" else "cast(part as VARCHAR)"
    if shown is None:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"Unsupported type for array_join: {element}")
    if len(arguments) > 2:
        shown = f"coalesce({shown}, {arguments[2].sql})"
    return Value(f"a_joined(list_transform({arguments[0].sql}, lambda part: {shown}), {arguments[1].sql})", result)


def _sort(arguments: Sequence[Value], result: Type) -> Value:
    """Sorted by a comparator: each element is placed by how many come before it."""
    array, comparator = arguments
    first, second = comparator.parameters
    items = array.sql
    order = f"a_order({comparator.sql})"
    before = (
        f"list_filter(range(1, len({items}) + 1), lambda other: list_transform([({items})[other]], lambda {first}:"
        f" list_transform([({items})[place]], lambda {second}: {order})[1])[1] < 0 or"
        f" (other < place and list_transform([({items})[other]], lambda {first}:"
        f" list_transform([({items})[place]], lambda {second}: {order})[1])[1] = 0))"
    )
    ranked = (
        f"list_sort(list_transform(range(1, len({items}) + 1), lambda place:"
        f' struct_pack("rank" := len({before}), "place" := place)))'
    )
    return Value(f'list_transform({ranked}, lambda entry: ({items})[entry."place"])', result)


def _reduce(arguments: Sequence[Value], result: Type) -> Value:
    """Folded over pairs of state and element, of one type as the engine wants it."""
    array, start, step, finish = arguments
    state, element = step.parameters
    nothing = f"cast(null as {array.type.children[0].duckdb})"
    blank = f"cast(null as {start.type.duckdb})"
    pairs = f"list_transform({array.sql}, lambda part: struct_pack(s := {blank}, e := part))"
    body = (
        f"list_transform([folded.s], lambda {state}: list_transform([following.e], lambda {element}: {step.sql})[1])[1]"
    )
    folded = (
        f"list_reduce({pairs}, lambda folded, following: struct_pack(s := cast({body} as {start.type.duckdb}),"
        f" e := {nothing}), struct_pack(s := cast({start.sql} as {start.type.duckdb}), e := {nothing})).s"
    )
    (last,) = finish.parameters
    built = f"list_transform([{folded}], lambda {last}: {finish.sql})[1]"
    return Value(f"(case when {array.sql} is null then null else {built} end)", result)


def _paired(arguments: Sequence[Value], result: Type) -> Value:
    first, second, body = arguments
    left, right = body.parameters
    longest = f"greatest(len({first.sql}), len({second.sql}))"
    inner = (
        f"list_transform([({first.sql})[place]], lambda {left}:"
        f" list_transform([({second.sql})[place]], lambda {right}: {body.sql})[1])[1]"
    )
    built = f"list_transform(range(1, {longest} + 1), lambda place: {inner})"
    return Value(f"(case when ({first.sql}) is null or ({second.sql}) is null then null else {built} end)", result)


def _zip(arguments: Sequence[Value], result: Type) -> Value:
    kind = result.children[0]
    fields = [f"({argument.sql})[place]" for argument in arguments]
    longest = f"greatest({', '.join(f'len({argument.sql})' for argument in arguments)})"
    missing = " or ".join(f"({argument.sql}) is null" for argument in arguments)
    built = f"list_transform(range(1, {longest} + 1), lambda place: {packed(fields, kind).sql})"
    return Value(f"(case when {missing} then null else {built} end)", result)


def _shuffle(arguments: Sequence[Value], result: Type) -> Value:
    (array,) = arguments
    places = f"range(1, len({array.sql}) + 1)"
    ranked = f"list_sort(list_transform({places}, lambda place: struct_pack(r := random(), p := place)))"
    return Value(f"list_transform({ranked}, lambda entry: ({array.sql})[entry.p])", result)


def _map_zip_with(arguments: Sequence[Value], result: Type) -> Value:
    """Over the keys of both maps; a key that one lacks comes with null."""
    first, second, body = arguments
    key, left, right = body.parameters
    keys = f"a_array_distinct(list_concat_strict(map_keys({first.sql}), map_keys({second.sql})))"
    value = (
        f"list_transform([({first.sql})[zipped]], lambda {left}: list_transform([({second.sql})[zipped]],"
        f" lambda {right}: list_transform([zipped], lambda {key}: {body.sql})[1])[1])[1]"
    )
    built = f"map({keys}, list_transform({keys}, lambda zipped: {value}))"
    return Value(f"(case when ({first.sql}) is null or ({second.sql}) is null then null else {built} end)", result)


def _combinations(arguments: Sequence[Value], result: Type) -> Value:
    array, size = arguments
    if not isinstance(size.constant, int) or not 0 <= size.constant <= 5:
        raise not_supported("combinations of more than five elements, or of a size that is no literal")
    names = [f"p{number}" for number in range(size.constant)]
    built = f"[[{', '.join(f'({array.sql})[{name}]' for name in names)}]]"
    for number, name in enumerate(names):
        end = f"{names[number + 1]}" if number + 1 < len(names) else f"len({array.sql}) + 1"
        built = f"flatten(list_transform(range(1, {end}), lambda {name}: {built}))"
    return Value(built, result)


def _entries(arguments: Sequence[Value], result: Type) -> Value:
    built = packed(['entry."key"', 'entry."value"'], result.children[0]).sql
    return Value(f"list_transform(map_entries({arguments[0].sql}), lambda entry: {built})", result)


def _pairs(value: Value) -> tuple[str, str]:
    """The engine's texts of the two fields of the rows of an array."""
    from localaws.services.athena.sql.trino.types import field_names

    first, second = field_names(value.type.children[0])
    return f"struct_extract(pair, '{first}')", f"struct_extract(pair, '{second}')"


def _from_entries(arguments: Sequence[Value], result: Type) -> Value:
    key, item = _pairs(arguments[0])
    keys = f"list_transform({arguments[0].sql}, lambda pair: {key})"
    return Value(f"a_map({keys}, list_transform({arguments[0].sql}, lambda pair: {item}))", result)


def _multimap_from_entries(arguments: Sequence[Value], result: Type) -> Value:
    key, item = _pairs(arguments[0])
    entries = arguments[0].sql
    keys = f"a_array_distinct(list_transform({entries}, lambda pair: {key}))"
    items = (
        f"list_transform({keys}, lambda wanted:"
        f" list_transform(list_filter({entries}, lambda pair: {key} = wanted), lambda pair: {item}))"
    )
    return Value(f"map({keys}, {items})", result)


def _map_concat(arguments: Sequence[Value], result: Type) -> Value:
    missing = " or ".join(f"({argument.sql}) is null" for argument in arguments)
    built = f"map_concat({', '.join(argument.sql for argument in arguments)})"
    return Value(f"(case when {missing} then null else {built} end)", result)


def _of_entry(body: Value) -> str:
    """A lambda over key and value, as an expression over `entry`."""
    key, item = body.parameters
    return (
        f'list_transform([entry."key"], lambda {key}: list_transform([entry."value"], lambda {item}: {body.sql})[1])[1]'
    )


def _map_filter(arguments: Sequence[Value], result: Type) -> Value:
    entries = f"list_filter(map_entries({arguments[0].sql}), lambda entry: {_of_entry(arguments[1])})"
    return Value(f"map_from_entries({entries})", result)


def _transform_values(arguments: Sequence[Value], result: Type) -> Value:
    built = f'struct_pack("key" := entry."key", "value" := {_of_entry(arguments[1])})'
    return Value(f"map_from_entries(list_transform(map_entries({arguments[0].sql}), lambda entry: {built}))", result)


def _transform_keys(arguments: Sequence[Value], result: Type) -> Value:
    keys = f"list_transform(map_entries({arguments[0].sql}), lambda entry: {_of_entry(arguments[1])})"
    return Value(f"a_map({keys}, map_values({arguments[0].sql}))", result)


def _extreme_of(name: str) -> Builder:
    """array_max and array_min: NaN counts only where there is nothing else, a null makes null."""

    def build(arguments: Sequence[Value], result: Type) -> Value:
        (value,) = arguments
        element = value.type.children[0]
        extreme = f"list_{name}({value.sql})"
        if element.name in ("double", "real"):
            extreme = f"coalesce(list_{name}(list_filter({value.sql}, lambda x: not isnan(x))), {extreme})"
        return Value(f"case when len({value.sql}) > list_count({value.sql}) then null else {extreme} end", element)

    return build


def _extreme(name: str) -> Builder:
    def build(arguments: Sequence[Value], result: Type) -> Value:
        kind: Type | None = arguments[0].type
        for argument in arguments[1:]:
            kind = common(kind, argument.type) if kind is not None else None
        if kind is None or not is_orderable(kind):
            raise QueryFailed("TYPE_MISMATCH", f"Unexpected parameters for function {name}: {result}")
        turned = [convert(argument, kind) for argument in arguments]
        if kind.name == "timestamp with time zone" and kind.zone == "":
            raise not_supported(f"{name} of timestamps with zones of their own")
        missing = " or ".join(f"({argument.sql}) is null" for argument in turned)
        built = f"{name}({', '.join(map(sortable, turned))})"
        if kind.name in ("double", "real"):
            listed = ", ".join(argument.sql for argument in turned)
            extreme = "max" if name == "greatest" else "min"
            built = f"coalesce(list_{extreme}(list_filter([{listed}], lambda x: not isnan(x))), 'nan'::{kind.duckdb})"
        return Value(f"(case when {missing} then null else {built} end)", kind)

    return build


BUILDERS: dict[str, Builder] = {
    "concat_arrays": _concat_arrays,
    "array_join": _join,
    "array_sort": _sort,
    "reduce": _reduce,
    "zip_with": _paired,
    "zip": _zip,
    "shuffle": _shuffle,
    "map_zip_with": _map_zip_with,
    "combinations": _combinations,
    "map_entries": _entries,
    "map_from_entries": _from_entries,
    "multimap_from_entries": _multimap_from_entries,
    "map_concat": _map_concat,
    "map_filter": _map_filter,
    "transform_values": _transform_values,
    "transform_keys": _transform_keys,
    "array_max": _extreme_of("max"),
    "array_min": _extreme_of("min"),
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
}
__all__ = ["BUILDERS", "chosen_places", "instant_of", "row"]
