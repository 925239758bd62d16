"""Expressions lowered one by one: names resolved, types checked, the engine's text built."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.functions import calls
from localaws.services.athena.sql.functions.aggregates import AGGREGATES, WINDOWS
from localaws.services.athena.sql.functions.library import FUNCTIONS, concatenated, field_of
from localaws.services.athena.sql.grammar.nodes import Call, Quantified, TypedLiteral
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.grammar.types import type_of
from localaws.services.athena.sql.lowering.scope import Output, Scope, unresolved
from localaws.services.athena.sql.trino.coercion import common
from localaws.services.athena.sql.trino.types import BOOLEAN, NUMBERS, UNKNOWN, VARCHAR, Type, array, is_any_zone, row
from localaws.services.athena.sql.values import conditions, literals
from localaws.services.athena.sql.values.arithmetic import arithmetic, mismatch
from localaws.services.athena.sql.values.casting import cast
from localaws.services.athena.sql.values.comparison import compared, distinct_from
from localaws.services.athena.sql.values.conversion import convert, packed
from localaws.services.athena.sql.values.values import Value, text

_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
}  # fmt: skip
_OF_CLOCKS = ("hour", "minute", "second")
_COMPARED = ("=", "<>", "<", "<=", ">", ">=")


class Subqueries(Protocol):
    """What an expression needs of queries: to lower one within a scope."""

    def lower(self, query: exp.Expr, parent: Scope) -> Output: ...

    def name(self, prefix: str) -> str: ...


class Expressions:
    """Lowers the expressions of one clause of one SELECT.

    `loose` collects the columns of the SELECT's own sources that stand outside every grouping key and aggregate.
    """

    def __init__(self, scope: Scope, queries: Subqueries, keys: frozenset[str] = frozenset()) -> None:
        self.scope = scope
        self.queries = queries
        self.keys = keys
        self.loose: list[exp.Column] = []
        self._variables: list[dict[str, Value]] = []

    def lower(self, node: exp.Expr) -> Value:
        """The node's value. Raises QueryFailed as Trino's analyzer does."""
        mark = len(self.loose)
        value = self._lower(node)
        if self.keys and value.sql in self.keys:
            del self.loose[mark:]
            if is_any_zone(value.type):
                return Value(f"first({value.sql})", value.type)  # the key is the instant; any zone may stand for it
        return value

    def _lower(self, node: exp.Expr) -> Value:
        name = _METHODS.get(type(node))
        if name is None:
            raise not_supported(f"{type(node).__name__} in an expression")
        build: Callable[[exp.Expr], Value] = getattr(self, name)
        return build(node)

    def boolean(self, node: exp.Expr, message: str) -> Value:
        """A condition. Raises QueryFailed TYPE_MISMATCH for another type."""
        value = self.lower(node)
        if value.type.name not in ("boolean", "unknown"):
            raise mismatch(position(node), message.format(value.type))
        return convert(value, BOOLEAN)

    def column(self, node: exp.Column) -> Value:
        """What a name stands for: a lambda's parameter, a column, a field of one."""
        parts = [part.name.lower() for part in node.parts]
        for variables in reversed(self._variables):
            if parts[0] in variables:
                return self._fields(variables[parts[0]], parts[1:], node)
        match = self.scope.find(node)
        if match is None:
            raise unresolved(node)
        column, rest, outside = match
        value = Value(column.sql, column.type)
        if not outside:
            self.loose.append(node)
        if not rest:
            return value
        if column.type.name != "row":
            raise unresolved(node)
        if value.sql in self.keys:
            self.loose.pop()
        return self._fields(value, rest, node)

    def _fields(self, value: Value, names: Sequence[str], node: exp.Expr) -> Value:
        for name in names:
            value = field_of(value, name, position(node))
        return value

    def _dot(self, node: exp.Dot) -> Value:
        return field_of(self.lower(node.this), node.expression.name.lower(), position(node))

    def _binary(self, node: exp.Binary) -> Value:
        sign = _SIGNS[type(node)]
        left = self.lower(node.this)
        right = self.lower(node.expression)
        build = compared if sign in _COMPARED else arithmetic
        return build(sign, left, right, position(node))

    def _concat(self, node: exp.DPipe) -> Value:
        return concatenated(self.lower(node.this), self.lower(node.expression), position(node))

    def _logical(self, node: exp.Connector) -> Value:
        word = "and" if isinstance(node, exp.And) else "or"
        message = "Logical expression term must evaluate to a boolean (actual: {})"
        sides = [self.boolean(side, message) for side in (node.this, node.expression)]
        return Value(f"({sides[0].sql} {word} {sides[1].sql})", BOOLEAN)

    def _not(self, node: exp.Not) -> Value:
        value = self.boolean(node.this, "Value of logical NOT expression must evaluate to a boolean (actual: {})")
        return Value(f"(not {value.sql})", BOOLEAN)

    def _negative(self, node: exp.Neg) -> Value:
        inner = node.this
        if isinstance(inner, exp.Literal) and not inner.is_string:
            return literals.number(f"-{inner.name}", str(inner.meta.get("kind")), position(node))
        value = self.lower(inner)
        if value.type.name not in literals.SIGNED:
            raise mismatch(position(node), f"Cannot negate {value.type}")
        return Value(f"(- {value.sql})", value.type)

    def _is_null(self, node: exp.Is) -> Value:
        return Value(f"({self.lower(node.this).sql} is null)", BOOLEAN)

    def _distinct(self, node: exp.Binary) -> Value:
        negated = isinstance(node, exp.NullSafeEQ)
        return distinct_from(self.lower(node.this), self.lower(node.expression), position(node), negated=negated)

    def _between(self, node: exp.Between) -> Value:
        value = self.lower(node.this)
        low = compared(">=", value, self.lower(node.args["low"]), position(node))
        high = compared("<=", value, self.lower(node.args["high"]), position(node))
        return Value(f"({low.sql} and {high.sql})", BOOLEAN)

    def _like(self, node: exp.Like) -> Value:
        return conditions.like(self.lower(node.this), self.lower(node.expression), None, position(node))

    def _escape(self, node: exp.Escape) -> Value:
        like = node.this
        escape = self.lower(node.expression)
        return conditions.like(self.lower(like.this), self.lower(like.expression), escape, position(like))

    def _in(self, node: exp.In) -> Value:
        value = self.lower(node.this)
        if node.args.get("query") is not None:
            return self._in_query(value, node.args["query"].this, position(node))
        return conditions.listed(value, [self.lower(item) for item in node.expressions], position(node))

    def _in_query(self, value: Value, query: exp.Expr, place: tuple[int, int]) -> Value:
        output = self.queries.lower(query, self.scope)
        if value.type.name == "row":
            item, sql = self._as_row(output)
        else:
            item, sql = self._only_column(output, place)
        kind = common(value.type, item.type)
        if kind is None:
            raise mismatch(place, f"Cannot apply operator: {value.type} = {item.type}")
        relation = self.queries.name("q")
        inner = conditions.membership_text(convert(Value(f"{relation}.c0", item.type), kind))
        outer = conditions.membership_text(convert(value, kind))
        return Value(f"({outer} in (select {inner} from ({sql}) as {relation}(c0)))", BOOLEAN)

    def _only_column(self, output: Output, place: tuple[int, int]) -> tuple[Value, str]:
        if len(output.columns) != 1:
            raise QueryFailed(
                "NOT_SUPPORTED" if not output.columns else "TYPE_MISMATCH",
                f"line {place[0]}:{place[1]}: Multiple columns returned by subquery are not yet supported."
                f" Found {len(output.columns)}",
            )
        return Value("c0", output.columns[0][1]), output.sql

    def _as_row(self, output: Output) -> tuple[Value, str]:
        if len(output.columns) == 1:
            return Value("c0", output.columns[0][1]), output.sql
        relation = self.queries.name("q")
        kind = row([column for _, column in output.columns])
        names = [f"c{number}" for number in range(len(output.columns))]
        built = packed([f"{relation}.{name}" for name in names], kind).sql
        return Value("c0", kind), f"select {built} from ({output.sql}) as {relation}({', '.join(names)})"

    def _subquery(self, node: exp.Subquery) -> Value:
        output = self.queries.lower(node.this, self.scope)
        item, sql = self._as_row(output)
        return Value(f"({sql})", item.type)

    def _exists(self, node: exp.Exists) -> Value:
        return Value(f"exists ({self.queries.lower(node.this, self.scope).sql})", BOOLEAN)

    def _quantified(self, node: Quantified) -> Value:
        value = self.lower(node.this)
        output = self.queries.lower(node.expression, self.scope)
        item, sql = self._only_column(output, position(node))
        sign = "<>" if node.args["sign"] == "!=" else node.args["sign"]
        return conditions.quantified(
            value, item, sql, sign, self.queries.name("q"), position(node), every=node.args["every"]
        )

    def _case(self, node: exp.Case) -> Value:
        branches = []
        operand = self.lower(node.this) if node.this is not None else None
        for part in node.args["ifs"]:
            if operand is None:
                condition = self.boolean(part.this, "CASE WHEN clause must evaluate to a boolean (actual: {})")
            else:
                condition = compared("=", operand, self.lower(part.this), position(part.this))
            branches.append((condition, self.lower(part.args["true"]), position(part.args["true"])))
        default = self.lower(node.args["default"]) if node.args.get("default") is not None else None
        return conditions.chosen(branches, default, position(node))

    def _cast(self, node: exp.Cast) -> Value:
        value = self.lower(node.this)
        target = type_of(node.args["to"])
        if not isinstance(node, exp.TryCast):
            return cast(value, target, position(node))
        if conditions.is_certain(value):
            return conditions.attempted(cast(value, target, position(node)))
        inner = self.queries.name("l")  # TRY_CAST catches what the cast fails on, not what fails before it
        built = cast(Value(inner, value.type), target, position(node))
        return Value(f"list_transform([{value.sql}], lambda {inner}: try({built.sql}))[1]", built.type)

    def _array(self, node: exp.Array) -> Value:
        items = [self.lower(item) for item in node.expressions]
        kind: Type = UNKNOWN
        for item, part in zip(items, node.expressions, strict=True):
            meeting = common(kind, item.type)
            if meeting is None:
                raise mismatch(position(part), f"All ARRAY elements must be the same type: {kind}")
            kind = meeting
        listed = ", ".join(convert(item, kind).sql for item in items)
        return Value(f"[{listed}]" if items else f"[]::{kind.duckdb}[]", array(kind))

    def _row(self, node: exp.Tuple) -> Value:
        items = [self.lower(item) for item in node.expressions]
        kind = row([item.type for item in items])
        return Value(packed([item.sql for item in items], kind).sql, kind)

    def _item(self, node: exp.Bracket) -> Value:
        return conditions.item(self.lower(node.this), self.lower(node.expressions[0]), position(node))

    def _zone(self, node: exp.AtTimeZone) -> Value:
        call = Call(this="at_timezone", expressions=[node.this.copy(), node.args["zone"].copy()])
        call.meta["at"] = position(node)
        return self.lower(call)

    def _extract(self, node: exp.Extract) -> Value:
        name = node.this.name.lower()
        line, column = position(node)
        if name not in FUNCTIONS or name not in literals.EXTRACTED:
            raise QueryFailed("SYNTAX_ERROR", f"line {line}:{column}: Invalid EXTRACT field: {name}")
        value = self.lower(node.expression)
        if value.type.name == "date" and name in _OF_CLOCKS:
            raise mismatch(position(node.expression), f"Cannot extract {name.upper()} from {value.type}")
        return self.called(name, [value], position(node))

    def call(self, node: Call) -> Value:
        """A call of a scalar function."""
        name = str(node.this).lower()
        special = getattr(self, f"_{name}_call", None)
        if special is not None:
            built: Value = special(node)
            return built
        if node.args.get("filter") is not None or node.args.get("distinct") or node.args.get("order") is not None:
            line, column = position(node)
            raise QueryFailed("FUNCTION_NOT_AGGREGATE", f"line {line}:{column}: {name} is not an aggregate function")
        if name in AGGREGATES or name in WINDOWS or name == "grouping":
            line, column = position(node)
            raise QueryFailed(
                "EXPRESSION_NOT_SCALAR",
                f"line {line}:{column}: An aggregation, window function or grouping operation cannot stand here:"
                f" {name}",
            )
        if name not in FUNCTIONS:
            raise calls.unknown_function(name, position(node))
        arguments = [item if isinstance(item, exp.Lambda) else self.lower(item) for item in node.expressions]
        return self.called(name, arguments, position(node))

    def window(self, node: exp.Window) -> Value:
        """A window function: none may stand here."""
        line, column = position(node)
        raise QueryFailed("EXPRESSION_NOT_SCALAR", f"line {line}:{column}: A window function is not allowed here")

    def called(self, name: str, arguments: Sequence[Value | exp.Lambda], place: tuple[int, int]) -> Value:
        choice = calls.chosen(FUNCTIONS[name], arguments, place)
        values, result = calls.turned(choice, arguments, self.lambda_of, place)
        return calls.applied(choice, values, result)

    def lambda_of(self, node: exp.Lambda, types: Sequence[Type]) -> Value:
        """A lambda whose parameters have the types."""
        names = [item.name.lower() for item in node.expressions]
        engine = [self.queries.name("l") for _ in names]
        if node.this.find(exp.Query):
            line, column = position(node)
            raise QueryFailed("NOT_SUPPORTED", f"line {line}:{column}: Lambda expression cannot contain subqueries")
        self._variables.append({
            name: Value(inner, kind) for name, inner, kind in zip(names, engine, types, strict=True)
        })  # fmt: skip
        try:
            body = self.lower(node.this)
        finally:
            self._variables.pop()
        return Value(body.sql, body.type, parameters=tuple(engine))

    def _coalesce_call(self, node: Call) -> Value:
        if len(node.expressions) < 2:
            line, column = position(node)
            raise QueryFailed(
                "SYNTAX_ERROR", f"line {line}:{column}: The 'coalesce' function must have at least two arguments"
            )
        values = [self.lower(item) for item in node.expressions]
        return conditions.first_present(values, [position(item) for item in node.expressions])

    def _if_call(self, node: Call) -> Value:
        if len(node.expressions) not in (2, 3):
            line, column = position(node)
            raise QueryFailed("SYNTAX_ERROR", f"line {line}:{column}: Invalid number of arguments for 'if' function")
        condition = self.boolean(node.expressions[0], "IF condition must evaluate to a boolean (actual: {})")
        values = [self.lower(item) for item in node.expressions[1:]]
        branches = [(condition, values[0], position(node.expressions[1]))]
        return conditions.chosen(branches, values[1] if len(values) > 1 else None, position(node))

    def _nullif_call(self, node: Call) -> Value:
        if len(node.expressions) != 2:
            line, column = position(node)
            raise QueryFailed(
                "SYNTAX_ERROR", f"line {line}:{column}: Invalid number of arguments for 'nullif' function"
            )
        first = self.lower(node.expressions[0])
        second = self.lower(node.expressions[1])
        same = compared("=", first, second, position(node))
        return Value(f"(case when {same.sql} then null else {first.sql} end)", first.type)

    def _try_call(self, node: Call) -> Value:
        if len(node.expressions) != 1:
            line, column = position(node)
            raise QueryFailed(
                "SYNTAX_ERROR", f"line {line}:{column}: The 'try' function must have exactly one argument"
            )
        inner = node.expressions[0]
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, exp.Subquery):
            return self.lower(inner)  # TRY does not catch what fails within
        if inner.find(exp.Query):
            raise not_supported("TRY over an expression with a subquery")
        return conditions.attempted(self.lower(inner))

    def _mod_call(self, node: Call) -> Value:
        values = [self.lower(item) for item in node.expressions]
        if len(values) != 2 or any(value.type.name not in (*NUMBERS, "unknown") for value in values):
            line, column = position(node)
            types = ", ".join(str(value.type) for value in values)
            raise QueryFailed(
                "FUNCTION_NOT_FOUND",
                f"line {line}:{column}: Unexpected parameters ({types}) for function mod. Expected: mod(N, N)",
            )
        left, right = values
        return arithmetic("%", left, right, position(node))

    def _typeof_call(self, node: Call) -> Value:
        value = self.lower(node.expressions[0])
        return Value(text(str(value.type)), VARCHAR)

    def _format_call(self, node: Call) -> Value:
        values = [self.lower(item) for item in node.expressions]
        return conditions.formatted(values, position(node))

    def _literal(self, node: exp.Literal) -> Value:
        if node.is_string:
            return literals.string(node.name)
        return literals.number(node.name, str(node.meta.get("kind")), position(node))

    def _typed(self, node: TypedLiteral) -> Value:
        return literals.typed(node.this.name, type_of(node.args["kind"]), position(node))

    def _interval(self, node: exp.Interval) -> Value:
        return literals.interval(node.this.name, node.meta["units"], position(node))

    def _inner(self, node: exp.Paren) -> Value:
        return self.lower(node.this)

    def _null(self, _: exp.Null) -> Value:
        return Value("null", UNKNOWN)

    def _boolean(self, node: exp.Boolean) -> Value:
        return Value("true" if node.this else "false", BOOLEAN, constant=int(bool(node.this)))

    def _binary_literal(self, node: exp.HexString) -> Value:
        return literals.binary(str(node.this))


_METHODS: dict[type[exp.Expr], str] = {
    exp.Column: "column", exp.Dot: "_dot", exp.DPipe: "_concat", exp.And: "_logical", exp.Or: "_logical",
    exp.Not: "_not", exp.Neg: "_negative", exp.Is: "_is_null", exp.NullSafeEQ: "_distinct",
    exp.NullSafeNEQ: "_distinct", exp.Between: "_between", exp.Like: "_like", exp.Escape: "_escape", exp.In: "_in",
    exp.Subquery: "_subquery", exp.Exists: "_exists", Quantified: "_quantified", exp.Case: "_case",
    exp.Cast: "_cast", exp.TryCast: "_cast", exp.Array: "_array", exp.Tuple: "_row", exp.Bracket: "_item",
    exp.AtTimeZone: "_zone", exp.Extract: "_extract", exp.Literal: "_literal", Call: "call", exp.Window: "window",
    TypedLiteral: "_typed", exp.Interval: "_interval", exp.Paren: "_inner", exp.Null: "_null",
    exp.Boolean: "_boolean", exp.HexString: "_binary_literal", **dict.fromkeys(_SIGNS, "_binary"),
}  # fmt: skip
