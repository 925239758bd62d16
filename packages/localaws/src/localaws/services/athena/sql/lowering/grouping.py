"""GROUP BY: its keys, its sets, and the check that nothing else stands outside an aggregate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.lowering.expressions import Expressions, Subqueries
from localaws.services.athena.sql.lowering.scope import Scope, spelled
from localaws.services.athena.sql.trino.types import has_any_zone, is_any_zone
from localaws.services.athena.sql.values.values import Value, instant_of

_MOST_SETS = 2048


@dataclass(frozen=True, slots=True)
class Grouping:
    """The clause in the engine's words, and the texts of its keys."""

    sql: str = ""
    keys: frozenset[str] = field(default_factory=frozenset)
    is_grouped: bool = False

    @classmethod
    def of(cls, select: exp.Select, scope: Scope, queries: Subqueries) -> "Grouping":
        group = select.args.get("group")
        if group is None:
            return cls()
        sets = group.meta["sets"]
        expressions = Expressions(scope, queries)
        lowered = [[[_key(key, select, expressions) for key in part] for part in element] for element in sets]
        keys = frozenset(value.sql for element in lowered for part in element for value in part)
        if all(len(element) == 1 for element in lowered):
            listed = [_text(value) for element in lowered for value in element[0]]
            unique = list(dict.fromkeys(listed))
            return cls(f" group by {', '.join(unique)}" if unique else " group by ()", keys, is_grouped=True)
        combined = [[value for part in parts for value in part] for parts in product(*lowered)]
        if len(combined) > _MOST_SETS:
            raise QueryFailed(
                "TOO_MANY_GROUPING_SETS",
                f"GROUP BY has {len(combined)} grouping sets but can contain at most {_MOST_SETS}",
            )
        written = ", ".join(f"({', '.join(dict.fromkeys(_text(value) for value in part))})" for part in combined)
        return cls(f" group by grouping sets ({written})", keys, is_grouped=True)

    def check(self, loose: Sequence[exp.Column]) -> None:
        """Raises QueryFailed EXPRESSION_NOT_AGGREGATE for a column outside keys and aggregates."""
        for column in loose:
            line, place = position(column)
            raise QueryFailed(
                "EXPRESSION_NOT_AGGREGATE",
                f"line {line}:{place}: '{spelled(column)}' must be an aggregate expression or appear in GROUP BY"
                " clause",
            )


def _key(node: exp.Expr, select: exp.Select, expressions: Expressions) -> Value:
    if isinstance(node, exp.Literal) and node.is_int and not node.is_string:
        number = int(node.name)
        items = select.expressions
        if not 1 <= number <= len(items):
            line, column = position(node)
            raise QueryFailed(
                "INVALID_COLUMN_REFERENCE", f"line {line}:{column}: GROUP BY position {number} is not in select list"
            )
        item = items[number - 1]
        return expressions.lower(item.this if isinstance(item, exp.Alias) else item)
    return expressions.lower(node)


def _text(value: Value) -> str:
    """A key's text; a number would be read as a column's place."""
    if is_any_zone(value.type):
        return instant_of(value)
    if has_any_zone(value.type):
        raise not_supported("A grouping by timestamps with zones of their own within arrays, maps or rows")
    return f"cast({value.sql} as {value.type.duckdb})" if value.constant is not None else value.sql
