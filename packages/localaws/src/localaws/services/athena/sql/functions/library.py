"""All scalar functions by name, and the operators that are functions to Trino."""

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.functions import calls, collections_table, scalars
from localaws.services.athena.sql.functions.builders import collections, numbers, texts, times
from localaws.services.athena.sql.trino.types import field_names
from localaws.services.athena.sql.values.catalogue import Function, read
from localaws.services.athena.sql.values.values import Value, text

_BUILDERS = {**numbers.BUILDERS, **texts.BUILDERS, **collections.BUILDERS, **times.BUILDERS}
FUNCTIONS: dict[str, list[Function]] = {**read(scalars.TABLE, _BUILDERS), **read(collections_table.TABLE, _BUILDERS)}


def concatenated(left: Value, right: Value, place: tuple[int, int]) -> Value:
    """Left || right: concat()."""
    arguments = [left, right]
    choice = calls.chosen(FUNCTIONS["concat"], arguments, place)
    values, result = calls.turned(choice, arguments, _no_lambda, place)
    return calls.applied(choice, values, result)


def _no_lambda(*_: object) -> Value:
    raise AssertionError("an operator takes no lambda")


def field_of(value: Value, name: str, place: tuple[int, int]) -> Value:
    """A named field of a row."""
    if value.type.name != "row":
        raise QueryFailed("TYPE_MISMATCH", f"line {place[0]}:{place[1]}: Expression is not of type ROW")
    matches = [number for number, field in enumerate(value.type.fields) if field == name]
    if len(matches) != 1:
        raise QueryFailed("COLUMN_NOT_FOUND", f"line {place[0]}:{place[1]}: Column '{name}' cannot be resolved")
    inner = field_names(value.type)[matches[0]]
    return Value(f"struct_extract({value.sql}, {text(inner)})", value.type.children[matches[0]])
