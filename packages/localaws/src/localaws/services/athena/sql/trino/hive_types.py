"""Hive's type names, and the same types in DuckDB's, Trino's and GetQueryResults' words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.types import (
    UNBOUNDED,
    VARCHAR,
    Type,
    array,
    char,
    decimal,
    field_names,
    map_of,
    row,
    scalar,
    timestamp,
    varchar,
)

_PRIMITIVES = {
    "string": ("VARCHAR", "varchar"),
    "varchar": ("VARCHAR", "varchar"),
    "char": ("VARCHAR", "varchar"),
    "boolean": ("BOOLEAN", "boolean"),
    "tinyint": ("TINYINT", "tinyint"),
    "smallint": ("SMALLINT", "smallint"),
    "int": ("INTEGER", "integer"),
    "integer": ("INTEGER", "integer"),
    "bigint": ("BIGINT", "bigint"),
    "float": ("FLOAT", "float"),
    "double": ("DOUBLE", "double"),
    "date": ("DATE", "date"),
    "timestamp": ("TIMESTAMP", "timestamp"),
    "binary": ("BLOB", "varbinary"),
}
_TOKEN = re.compile(r"\s*([A-Za-z_][\w$.-]*|\d+|[<>,:()])")


@dataclass(frozen=True, slots=True)
class HiveType:
    """A parsed Hive type. `name` is lower case; `children` are element, key and value, or field types."""

    name: str
    children: tuple["HiveType", ...] = ()
    fields: tuple[str, ...] = ()  # of a struct
    size: tuple[int, ...] = ()  # precision and scale, or length

    @property
    def duckdb(self) -> str:
        if self.name == "array":
            return f"{self.children[0].duckdb}[]"
        if self.name == "map":
            return f"MAP({self.children[0].duckdb}, {self.children[1].duckdb})"
        if self.name == "struct":
            pairs = zip(self.fields, self.children, strict=True)
            return "STRUCT(" + ", ".join(f'"{field}" {kind.duckdb}' for field, kind in pairs) + ")"
        if self.name == "decimal":
            precision, scale = (*self.size, 10, 0)[:2] if not self.size else (*self.size, 0)[:2]
            return f"DECIMAL({precision}, {scale})"
        return _PRIMITIVES[self.name][0]

    @property
    def trino(self) -> Type:
        """The type as queries see it."""
        match self.name:
            case "array":
                return array(self.children[0].trino)
            case "map":
                return map_of(self.children[0].trino, self.children[1].trino)
            case "struct":
                return row([child.trino for child in self.children], self.fields)
            case "decimal":
                return decimal(*((*self.size, 0)[:2] if self.size else (10, 0)))
            case "varchar":
                return varchar(self.size[0]) if self.size else VARCHAR
            case "char":
                return char(self.size[0] if self.size else 1)
            case "string":
                return VARCHAR
            case "timestamp":
                return timestamp(3)
        return scalar(_TRINO.get(self.name, self.name))


_TRINO = {"int": "integer", "float": "real", "binary": "varbinary"}


def parse(text: str) -> HiveType:
    """Read a type as the Glue catalogue holds it ("array<struct<a:int>>"). Raises QueryFailed for an unknown one."""
    tokens = _tokens(text)
    parsed, rest = _type(tokens, text)
    if rest:
        raise QueryFailed("HIVE_INVALID_METADATA", f"Glue table has an invalid type: {text}")
    return parsed


def _tokens(text: str) -> list[str]:
    return [match.group(1) for match in _iterate(text)]


def _iterate(text: str) -> Iterator[re.Match[str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryFailed("HIVE_INVALID_METADATA", f"Glue table has an invalid type: {text}")
        yield match
        at = match.end()


def _type(tokens: list[str], text: str) -> tuple[HiveType, list[str]]:
    if not tokens:
        raise QueryFailed("HIVE_INVALID_METADATA", f"Glue table has an invalid type: {text}")
    name = tokens[0].lower()
    rest = tokens[1:]
    if name in ("array", "map", "struct") and rest[:1] == ["<"]:
        return _nested(name, rest[1:], text)
    size: tuple[int, ...] = ()
    if rest[:1] == ["("]:
        end = rest.index(")")
        size = tuple(int(token) for token in rest[1:end] if token.isdigit())
        rest = rest[end + 1 :]
    if name != "decimal" and name not in _PRIMITIVES:
        raise QueryFailed("HIVE_INVALID_METADATA", f"Glue table has an unsupported type: {text}")
    return HiveType(name, size=size), rest


def _nested(name: str, rest: list[str], text: str) -> tuple[HiveType, list[str]]:
    children: list[HiveType] = []
    fields: list[str] = []
    while True:
        if name == "struct":
            fields.append(rest[0].lower())
            rest = rest[2:]  # the field's name and the colon
        child, rest = _type(rest, text)
        children.append(child)
        if rest[:1] == [","]:
            rest = rest[1:]
            continue
        if rest[:1] != [">"]:
            raise QueryFailed("HIVE_INVALID_METADATA", f"Glue table has an invalid type: {text}")
        return HiveType(name, tuple(children), tuple(fields)), rest[1:]


def athena_name(kind: Type) -> str:
    """What GetQueryResults calls a type: "varchar", "bigint", "array", "row"."""
    return "float" if kind.name == "real" else kind.name


def hive_name(kind: Type) -> str:
    """The Hive type in which a CTAS registers a type. Raises QueryFailed NOT_SUPPORTED for one that Hive lacks."""
    match kind.name:
        case "array":
            return f"array<{hive_name(kind.children[0])}>"
        case "map":
            return f"map<{hive_name(kind.children[0])},{hive_name(kind.children[1])}>"
        case "row":
            pairs = zip(field_names(kind), kind.children, strict=True)
            return "struct<" + ",".join(f"{name}:{hive_name(child)}" for name, child in pairs) + ">"
        case "decimal":
            return f"decimal({kind.sizes[0]},{kind.sizes[1]})"
        case "varchar":
            return "string" if kind.sizes[0] == UNBOUNDED else f"varchar({max(kind.sizes[0], 1)})"
        case "char":
            return f"char({kind.sizes[0]})"
    if kind.name not in _HIVE:
        raise QueryFailed("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    return _HIVE[kind.name]


_HIVE = {
    "boolean": "boolean", "tinyint": "tinyint", "smallint": "smallint", "integer": "int", "bigint": "bigint",
    "real": "float", "double": "double", "date": "date", "timestamp": "timestamp", "varbinary": "binary",
}  # fmt: skip


def view_name(kind: Type) -> str:
    """The Hive type under which a view's column is listed: text where Hive has none."""
    try:
        return hive_name(kind)
    except QueryFailed:
        return "string"


def stored(kind: Type) -> str:
    """The engine's type in which files hold values of a type."""
    match kind.name:
        case "array":
            return f"{stored(kind.children[0])}[]"
        case "map":
            return f"MAP({stored(kind.children[0])}, {stored(kind.children[1])})"
        case "row":
            pairs = zip(field_names(kind), kind.children, strict=True)
            return "STRUCT(" + ", ".join(f'"{name}" {stored(child)}' for name, child in pairs) + ")"
        case "timestamp":
            return "TIMESTAMP_MS"
    return kind.duckdb
