"""Which columns a name can mean."""

from dataclasses import dataclass, field

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.trino.types import Type
from localaws.services.athena.sql.values.values import Value


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a relation. `qualifier` are the parts of its relation's name, in lower case."""

    name: str | None
    type: Type
    sql: str
    qualifier: tuple[str, ...] = ()
    hidden: bool = False

    def answers(self, name: str, qualifier: tuple[str, ...]) -> bool:
        if self.name != name:
            return False
        return not qualifier or self.qualifier[-len(qualifier) :] == qualifier


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns of a FROM, and those of the query around it."""

    fields: list[Field] = field(default_factory=list)
    parent: "Scope | None" = None
    is_closed: bool = False  # whether names of the scopes around it may not be meant: of a set operation

    def find(self, node: exp.Column) -> tuple[Field, list[str], bool] | None:
        """The column of a name, the fields that the name's further parts are, and whether it lies outside.

        Raises QueryFailed COLUMN_NOT_FOUND or AMBIGUOUS_NAME.
        """
        parts = [part.name.lower() for part in node.parts]
        outside = False
        closed = False
        at: Scope | None = self
        while at is not None:
            match = at.local(parts, node)
            if match is not None:
                if closed:
                    raise QueryFailed("NOT_SUPPORTED", f"{_place(node)}: Given correlated subquery is not supported")
                return match[0], match[1], outside
            closed = closed or at.is_closed
            at = at.parent
            outside = True
        return None

    def local(self, parts: list[str], node: exp.Column) -> tuple[Field, list[str]] | None:
        """The column of this scope alone, and the rest of the name."""
        for size in range(len(parts), 0, -1):
            name = parts[size - 1]
            qualifier = tuple(parts[: size - 1])
            fits = [column for column in self.fields if column.answers(name, qualifier)]
            if len(fits) > 1:
                raise QueryFailed("AMBIGUOUS_NAME", f"{_place(node)}: Column '{spelled(node)}' is ambiguous")
            if fits:
                return fits[0], parts[size:]
        return None


def spelled(node: exp.Column) -> str:
    """The name as Trino shows it: in lower case where it was not quoted."""
    return ".".join(part.name for part in node.parts)


def _place(node: exp.Expr) -> str:
    line, column = position(node)
    return f"line {line}:{column}"


def unresolved(node: exp.Column) -> QueryFailed:
    return QueryFailed(
        "COLUMN_NOT_FOUND",
        f"{_place(node)}: Column '{spelled(node)}' cannot be resolved or requester is not authorized to access"
        " requested resources",
    )


@dataclass(frozen=True, slots=True)
class Output:
    """A lowered query: the engine's text, whose columns are read by position, and the names and types of them."""

    sql: str
    columns: list[tuple[str | None, Type]]

    def value(self, number: int, relation: str) -> Value:
        return Value(f"{relation}.c{number}", self.columns[number][1])
