"""Expressions of SELECT, HAVING and ORDER BY, where aggregates and window functions may stand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.functions import calls
from localaws.services.athena.sql.functions.aggregates import AGGREGATES, WINDOWS
from localaws.services.athena.sql.grammar.nodes import Call
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.lowering.expressions import Expressions, Subqueries
from localaws.services.athena.sql.lowering.frames import frame
from localaws.services.athena.sql.lowering.scope import Scope
from localaws.services.athena.sql.trino.types import BIGINT, Type, has_any_zone, is_any_zone
from localaws.services.athena.sql.values.arithmetic import mismatch
from localaws.services.athena.sql.values.comparison import is_orderable
from localaws.services.athena.sql.values.conversion import comparable, sortable
from localaws.services.athena.sql.values.values import Value, instant_of

_PERCENT = "\ue000"  # stands for the sign in what comes from the statement, as a table's marks begin with one
_MODIFIERS = {"%D": "DISTINCT", "%O": "ORDER BY", "%N": "IGNORE NULLS", "%M": "FILTER or OVER"}
_OF_KEYS = ("approx_distinct", "histogram", "map_agg", "multimap_agg")
_INDIFFERENT = ("count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "count_if")


class Aggregated(Expressions):
    """Lowers what may aggregate. `aggregates` counts the aggregates that stand outside windows."""

    def __init__(
        self,
        scope: Scope,
        queries: Subqueries,
        keys: frozenset[str] = frozenset(),
        aliases: Mapping[str, Value] | None = None,
    ) -> None:
        super().__init__(scope, queries, keys)
        self.aggregates = 0
        self._aliases = aliases or {}

    def column(self, node: exp.Column) -> Value:
        """In ORDER BY the names of the result come first. If it has a column `t`, `t.x` is a field of that, and not the
        column of a table `t`.
        """
        first, *rest = (part.name.lower() for part in node.parts)
        if first not in self._aliases:
            return super().column(node)
        value = self._aliases[first]
        if rest and value.type.name != "row":
            raise mismatch(position(node), f"Expression {first} is not of type ROW")
        return self._fields(value, rest, node)

    def call(self, node: Call) -> Value:
        name = str(node.this).lower()
        if name in WINDOWS:
            line, column = position(node)
            raise QueryFailed("MISSING_OVER", f"line {line}:{column}: Window function {name} requires an OVER clause")
        if name == "grouping":
            return self._grouping(node)
        if name not in AGGREGATES:
            return super().call(node)
        self.aggregates += 1
        self._check_sources(node)
        inner = Expressions(self.scope, self.queries)
        inner._variables = self._variables  # noqa: SLF001 - a lambda's parameters are seen within
        return self._applied(node, inner, "")

    def _check_sources(self, node: Call) -> None:
        """An aggregate in ORDER BY reads rows, which have no columns of the result. Raises QueryFailed."""
        for column in node.find_all(exp.Column):
            first = column.parts[0].name.lower()
            if first not in self._aliases:
                continue
            if len(column.parts) > 1:
                raise mismatch(position(column), f"Expression {first} is not of type ROW")
            line, place = position(column)
            message = "Invalid reference to output projection attribute from ORDER BY aggregation"
            raise QueryFailed("COLUMN_NOT_FOUND", f"line {line}:{place}: {message}")

    def window(self, node: exp.Window) -> Value:
        call = node.this
        name = str(call.this).lower()
        if name not in AGGREGATES and name not in WINDOWS:
            line, column = position(node)
            raise QueryFailed("FUNCTION_NOT_WINDOW", f"line {line}:{column}: Not a window function: {name}")
        if call.args.get("filter") is not None:
            line, column = position(node)
            raise QueryFailed(
                "NOT_SUPPORTED", f"line {line}:{column}: FILTER is not yet supported for window functions"
            )
        if call.args.get("distinct"):
            line, column = position(node)
            raise QueryFailed(
                "NOT_SUPPORTED",
                f"line {line}:{column}: DISTINCT in window function parameters not yet supported: {name}",
            )
        parts = []
        partition = [self._partition_key(item) for item in node.args.get("partition_by") or []]
        if partition:
            parts.append(f"partition by {', '.join(partition)}")
        order = node.args.get("order")
        spec = node.args.get("spec")
        if order is not None:
            as_time = spec is not None and spec.args["kind"] == "RANGE"
            parts.append(f"order by {self.sorting(order.expressions, as_time=as_time)}")
        if spec is not None:
            parts.append(frame(self, spec, order, position(node)))
        return self._applied(call, self, f" over ({' '.join(parts)})")

    def _partition_key(self, item: exp.Expr) -> str:
        value = self.lower(item)
        if not is_orderable(value.type):
            line, column = position(item)
            raise QueryFailed(
                "TYPE_MISMATCH", f"line {line}:{column}: {value.type} is not orderable, and cannot partition a window"
            )
        return comparable(value)

    def sorting(self, items: Sequence[exp.Expr], *, as_time: bool = False) -> str:
        """The items of an ORDER BY."""
        return ", ".join(self.sorted_item(item, as_time=as_time) for item in items)

    def sorted_item(self, item: exp.Expr, *, as_time: bool = False) -> str:
        value = self.lower(item.this)
        check_orderable(value.type, position(item))
        sql = sortable(value)
        if as_time and value.type.name == "date":
            sql = f"cast({sql} as TIMESTAMP)"
        return f"{sql}{direction(item)}"

    def _grouping(self, node: Call) -> Value:
        mark = len(self.loose)
        values = [self.lower(item) for item in node.expressions]
        del self.loose[mark:]
        if any(value.sql not in self.keys for value in values):
            line, column = position(node)
            raise QueryFailed(
                "INVALID_ARGUMENTS",
                f"line {line}:{column}: The arguments to GROUPING() must be expressions referenced by the GROUP BY"
                " at the related query level",
            )
        return Value(f"cast(grouping({', '.join(value.sql for value in values)}) as BIGINT)", BIGINT)

    def _applied(self, node: Call, inner: Expressions, over: str) -> Value:
        """The call with its modifiers in their places."""
        name = str(node.this).lower()
        place = position(node)
        functions = WINDOWS.get(name) or AGGREGATES[name]
        arguments = [item if isinstance(item, exp.Lambda) else inner.lower(item) for item in node.expressions]
        choice = calls.chosen(functions, arguments, place)
        values, result = calls.turned(choice, arguments, inner.lambda_of, place)
        if node.args.get("distinct") or name in _OF_KEYS:
            values = _keyed(name, values)
        protected = [replace(value, sql=value.sql.replace("%", _PERCENT)) for value in values]
        built = calls.applied(choice, protected, result)
        texts = {mark: text.replace("%", _PERCENT) for mark, text in self._modifiers(node, values, inner, over).items()}
        sql = built.sql
        for mark, text in texts.items():
            if text and mark not in sql:
                raise not_supported(f"{name} with {_MODIFIERS[mark]}")
            sql = sql.replace(mark, text)
        return Value(sql.replace(_PERCENT, "%"), built.type)

    def _modifiers(self, node: Call, values: Sequence[Value], inner: Expressions, over: str) -> dict[str, str]:
        name = str(node.this).lower()
        order = node.args.get("order")
        sorting = ""
        if order is not None and name not in _INDIFFERENT:
            items = [(inner.lower(item.this), item) for item in order.expressions]
            for value, item in items:
                check_orderable(value.type, position(item))
            if node.args.get("distinct") and not {value.sql for value, _ in items} <= {value.sql for value in values}:
                line, column = position(node)
                raise QueryFailed(
                    "EXPRESSION_NOT_IN_DISTINCT",
                    f"line {line}:{column}: For aggregate function with DISTINCT, ORDER BY expressions must appear in"
                    " arguments",
                )
            sorting = " order by " + ", ".join(f"{sortable(value)}{direction(item)}" for value, item in items)
        condition = node.args.get("filter")
        filtered = ""
        if condition is not None:
            judged = inner.boolean(condition, "Filter expression must evaluate to a boolean (actual: {})")
            filtered = f" filter (where {judged.sql})"
        return {
            "%D": "distinct " if node.args.get("distinct") else "",
            "%O": sorting,
            "%N": " ignore nulls" if node.args.get("nulls") == "ignore" else "",
            "%M": filtered + over,
        }


def _keyed(name: str, values: Sequence[Value]) -> list[Value]:
    """Arguments of what tells values apart: of timestamps with zones of their own, the instants count."""
    if not any(has_any_zone(value.type) for value in values):
        return list(values)
    if name == "approx_distinct":
        return list(values)
    if name != "count" or not is_any_zone(values[0].type):
        raise not_supported(f"{name} over distinct timestamps with zones of their own")
    return [Value(instant_of(value), Type("timestamp", value.type.sizes)) for value in values[:1]] + list(values[1:])


def check_orderable(kind: Type, place: tuple[int, int]) -> None:
    """Raises QueryFailed TYPE_MISMATCH for a type that has no order."""
    if not is_orderable(kind):
        raise QueryFailed(
            "TYPE_MISMATCH",
            f"line {place[0]}:{place[1]}: Type {kind} is not orderable, and therefore cannot be used in ORDER BY",
        )


def direction(item: exp.Expr) -> str:
    """ASC or DESC, nulls last unless said otherwise."""
    return f" {'desc' if item.args.get('desc') else 'asc'} nulls {'first' if item.args.get('nulls_first') else 'last'}"
