"""Columns and values of Trino's client protocol as Athena's results have them."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from localaws.core.shapes import Document
from localaws.services.athena.results.outcome import Column
from localaws.services.athena.sql.python.numbers import java_double
from localaws.services.athena.sql.trino.types import UNBOUNDED, Type, row

_NAMES = {"real": "float"}
_PRECISIONS = {
    "bigint": 19, "integer": 10, "smallint": 5, "tinyint": 3, "double": 17, "real": 17,
    "time": 3, "timestamp": 3, "timestamp with time zone": 3, "varbinary": 1073741824,
}  # fmt: skip
_SIZED = ("varchar", "char")
Spelling = Callable[[object], str]  # of a value that is not null


def columns(described: Sequence[Document]) -> list[Column]:
    """How GetQueryResults describes the columns of an answer."""
    return [_column(str(column["name"]), column["typeSignature"]) for column in described]


def _column(name: str, signature: Document) -> Column:
    base = str(signature["rawType"])
    sizes = [int(argument["value"]) for argument in signature["arguments"] if argument["kind"] == "LONG"]
    called = _NAMES.get(base, base)
    if base == "decimal":
        return Column(name.lower(), called, sizes[0], sizes[1])
    if base in _SIZED:
        return Column(name.lower(), called, sizes[0] if sizes else 2147483647)
    return Column(name.lower(), called, _PRECISIONS.get(base, 0))


def type_of(signature: Document) -> Type:
    """A type as the rest of localaws knows it."""
    base = str(signature["rawType"])
    sizes = tuple(int(argument["value"]) for argument in signature["arguments"] if argument["kind"] == "LONG")
    children = [argument["value"] for argument in signature["arguments"] if argument["kind"] != "LONG"]
    if base == "row":
        names = [(child.get("fieldName") or {}).get("name") for child in children]
        return row([type_of(child["typeSignature"]) for child in children], names)
    if base in ("varchar", "char") and not sizes:
        sizes = (UNBOUNDED,)
    return Type(base, sizes, tuple(type_of(child) for child in children))


def spellings(described: Sequence[Document]) -> list[Spelling]:
    """How the values of each column are written."""
    return [_spelling(column["typeSignature"]) for column in described]


def _spelling(signature: Document) -> Spelling:
    base = str(signature["rawType"])
    children = [argument["value"] for argument in signature["arguments"] if argument["kind"] != "LONG"]
    if base in _NESTED:
        return _NESTED[base](children)
    return _PLAIN.get(base, str)


def _nullable(spelling: Spelling) -> Spelling:
    return lambda value: "null" if value is None else spelling(value)


def _array(children: Sequence[Document]) -> Spelling:
    item = _nullable(_spelling(children[0]))

    def spell(value: object) -> str:
        return "[" + ", ".join(map(item, cast("list[object]", value))) + "]"

    return spell


def _map(children: Sequence[Document]) -> Spelling:
    # Keys that are no scalars come as text.
    key = str if str(children[0]["rawType"]) in _NESTED else _spelling(children[0])
    item = _nullable(_spelling(children[1]))

    def spell(value: object) -> str:
        entries = cast("dict[str, object]", value)
        return "{" + ", ".join(f"{key(name)}={item(entry)}" for name, entry in entries.items()) + "}"

    return spell


def _row(children: Sequence[Document]) -> Spelling:
    fields: list[tuple[str, Spelling]] = []
    for number, child in enumerate(children):
        name = (child.get("fieldName") or {}).get("name") if "typeSignature" in child else None
        fields.append((name or f"field{number}", _nullable(_spelling(child.get("typeSignature", child)))))

    def spell(value: object) -> str:
        cells = zip(fields, cast("list[object]", value), strict=True)
        return "{" + ", ".join(f"{name}={spelling(cell)}" for (name, spelling), cell in cells) + "}"

    return spell


def _boolean(value: object) -> str:
    return "true" if value in (True, "true") else "false"


def _double(value: object) -> str:
    return java_double(float(str(value)))


def _binary(value: object) -> str:
    return base64.b64decode(str(value)).hex(" ")


_NESTED: Mapping[str, Callable[[Sequence[Document]], Spelling]] = {"array": _array, "map": _map, "row": _row}
_PLAIN: Mapping[str, Spelling] = {"boolean": _boolean, "double": _double, "real": _double, "varbinary": _binary}
