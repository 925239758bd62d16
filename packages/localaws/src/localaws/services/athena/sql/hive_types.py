"""Hive's type names, and the same types in DuckDB's and in Athena's words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from localaws.services.athena.sql.failures import QueryFailed

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

# DuckDB's type ids -> Athena's name and Hive's.
_FROM_DUCKDB = {
    "varchar": ("varchar", "string"),
    "boolean": ("boolean", "boolean"),
    "tinyint": ("tinyint", "tinyint"),
    "smallint": ("smallint", "smallint"),
    "integer": ("integer", "int"),
    "bigint": ("bigint", "bigint"),
    "hugeint": ("bigint", "bigint"),
    "utinyint": ("smallint", "smallint"),
    "usmallint": ("integer", "int"),
    "uinteger": ("bigint", "bigint"),
    "ubigint": ("bigint", "bigint"),
    "float": ("float", "float"),
    "double": ("double", "double"),
    "date": ("date", "date"),
    "timestamp": ("timestamp", "timestamp"),
    "timestamp_ms": ("timestamp", "timestamp"),
    "timestamp_s": ("timestamp", "timestamp"),
    "timestamp_ns": ("timestamp", "timestamp"),
    "timestamp with time zone": ("timestamp with time zone", "timestamp"),
    "blob": ("varbinary", "binary"),
    "json": ("json", "string"),
    "sqlnull": ("unknown", "string"),
    '"null"': ("unknown", "string"),
    "uuid": ("uuid", "string"),
}


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


def athena_name(kind: object) -> str:
    """What GetQueryResults calls a DuckDB type (a DuckDBPyType): "varchar", "bigint", "array", "row"."""
    name = type_id(kind)
    if name in ("list", "array"):
        return "array"
    if name in ("map", "decimal"):
        return name
    if name == "struct":
        return "row"
    if name not in _FROM_DUCKDB:
        raise QueryFailed("NOT_SUPPORTED", f"A result of the local engine's type {kind} has no counterpart in Athena")
    return _FROM_DUCKDB[name][0]


def hive_name(kind: object) -> str:
    """The Hive type in which a CTAS registers a DuckDB type."""
    name = type_id(kind)
    children = dict(getattr(kind, "children", [])) if name in ("list", "map", "struct", "decimal", "array") else {}
    if name in ("list", "array"):
        return f"array<{hive_name(children['child'])}>"
    if name == "map":
        return f"map<{hive_name(children['key'])},{hive_name(children['value'])}>"
    if name == "struct":
        return "struct<" + ",".join(f"{field}:{hive_name(child)}" for field, child in children.items()) + ">"
    if name == "decimal":
        return f"decimal({children['precision']},{children['scale']})"
    if name not in _FROM_DUCKDB:
        raise QueryFailed("NOT_SUPPORTED", f"The local engine's type {kind} has no counterpart in Hive")
    return _FROM_DUCKDB[name][1]


def settled(kind: object) -> str:
    """The DuckDB type that stands for the Athena type of a result: 128-bit sums become bigint, nulls varchar."""
    name = type_id(kind)
    children = dict(getattr(kind, "children", [])) if name in ("list", "map", "struct", "array") else {}
    if name in ("list", "array"):
        return f"{settled(children['child'])}[]"
    if name == "map":
        return f"MAP({settled(children['key'])}, {settled(children['value'])})"
    if name == "struct":
        return "STRUCT(" + ", ".join(f'"{field}" {settled(child)}' for field, child in children.items()) + ")"
    if name in ("hugeint", "ubigint", "uinteger", "uhugeint"):
        return "BIGINT"
    if name in ("timestamp", "timestamp_s", "timestamp_ns"):
        return "TIMESTAMP_MS"
    return str(kind)


def type_id(kind: object) -> str:
    """The id of a DuckDBPyType, lower case."""
    return "json" if str(kind) == "JSON" else str(getattr(kind, "id", kind)).lower()
