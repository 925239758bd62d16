"""Types as Athena's SQL writes them, read into Trino's types."""

from sqlglot import exp

from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.sql.grammar.token_cursor import Reading, placed
from localaws.services.athena.sql.trino.types import (
    BIGINT,
    DOUBLE,
    INTEGER,
    JSON,
    UNBOUNDED,
    Type,
    array,
    char,
    decimal,
    is_known,
    map_of,
    row,
    scalar,
    time,
    timestamp,
    varchar,
)

_WORDS = ("double", "time", "timestamp", "interval", "array", "map", "row", "char", "varchar", "decimal")
# Types of Trino that this engine does not have.
_ABSENT = (
    "ipaddress", "hyperloglog", "p4hyperloglog", "qdigest", "tdigest", "setdigest", "geometry", "sphericalgeography",
    "bingtile", "kdbtree", "objectid",
)  # fmt: skip


class TypeNode(exp.Expression):
    """A type as a node of the tree; `type` in its metadata."""


def is_type_name(text: str) -> bool:
    return text in _WORDS or is_known(text) or text in _ABSENT


def type_of(node: exp.Expr) -> Type:
    """The type that a node of the tree holds."""
    kind: Type = node.meta["kind"]
    return kind


class TypeParser(Reading):
    """Reads types."""

    def type(self) -> exp.Expr:
        kind = self.type_or_none()
        if kind is None:
            self.refuse("<type>")
        return kind

    def type_or_none(self) -> exp.Expr | None:
        place = self.word.at
        start = self.index
        parsed = self._type()
        if parsed is None:
            self.index = start
            return None
        node = placed(TypeNode(), place)
        node.meta["kind"] = parsed
        return node

    def _type(self) -> Type | None:
        parsed = self._base()
        while parsed is not None and self.take("array"):
            parsed = array(parsed)
        return parsed

    def _base(self) -> Type | None:
        if not self.is_name() and not self.sees("array"):
            return None
        name = self.step().text.lower()
        match name:
            case "double":
                self.take("precision")
                return DOUBLE
            case "time" | "timestamp":
                return self._moment(name)
            case "interval":
                return self._interval()
            case "array" | "map" | "row":
                return self._nested(name)
            case "varchar" | "char" | "decimal":
                return self._sized(name)
            case "int":
                return INTEGER
            case "json":
                return JSON
        if name in _ABSENT:
            raise not_supported(f"The type {name}")
        return scalar(name) if is_known(name) else None

    def _moment(self, name: str) -> Type:
        precision = 3
        if self.sees("(") and self.ahead().kind == "integer":
            self.step()
            precision = self.integer()
            self.expect(")")
        zoned = self.take("with", "time", "zone")
        if not zoned:
            self.take("without", "time", "zone")
        return time(precision, zoned=zoned) if name == "time" else timestamp(precision, zoned=zoned)

    def _interval(self) -> Type | None:
        if self.take("day", "to", "second"):
            return scalar("interval day to second")
        if self.take("year", "to", "month"):
            return scalar("interval year to month")
        return None

    def _sized(self, name: str) -> Type:
        sizes = []
        if self.sees("(") and self.ahead().kind == "integer":
            self.step()
            sizes.append(self.integer())
            while self.take(","):
                sizes.append(self.integer())
            self.expect(")")
        if name == "varchar":
            return varchar(sizes[0] if sizes else UNBOUNDED)
        if name == "char":
            return char(sizes[0] if sizes else 1)
        return decimal(*(sizes or [38, 0]))

    def _nested(self, name: str) -> Type | None:
        closing = ")" if self.sees("(") else ">"
        if not self.take("(") and not (name != "row" and self.take("<")):
            return None
        if name == "row":
            return self._row()
        children = [self._type()]
        while self.take(","):
            children.append(self._type())
        if not self.take(closing):
            return None
        inner = [child for child in children if child is not None]
        if name == "array":
            return array(inner[0]) if len(children) == len(inner) == 1 else None
        return map_of(*inner) if len(children) == len(inner) == 2 else None

    def _row(self) -> Type | None:
        fields: list[str | None] = []
        children = []
        while True:
            label: str | None = None
            start = self.index
            if self.is_name() and (self.is_name(1) or self.ahead().text.lower() == "array"):
                label = self.step().text.lower()
            child = self._type()
            if label is not None and (child is None or not (self.sees(",") or self.sees(")"))):
                self.index = start
                label = None
                child = self._type()
            if child is None:
                return None
            fields.append(label)
            children.append(child)
            if self.take(")"):
                return row(children, fields)
            if not self.take(","):
                return None


__all__ = ["BIGINT", "TypeParser", "is_type_name", "type_of"]
