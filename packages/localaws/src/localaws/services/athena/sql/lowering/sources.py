"""Relations of a FROM: tables, VALUES, subqueries, UNNEST and joins, each with the columns that it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.lowering.expressions import Expressions
from localaws.services.athena.sql.lowering.scope import Field, Output, Scope
from localaws.services.athena.sql.trino.coercion import common
from localaws.services.athena.sql.trino.types import BIGINT, UNKNOWN, Type, field_names, identifier
from localaws.services.athena.sql.values.arithmetic import mismatch
from localaws.services.athena.sql.values.comparison import compared
from localaws.services.athena.sql.values.conversion import convert
from localaws.services.athena.sql.values.values import Value, text


@dataclass(frozen=True, slots=True)
class Scanned:
    """A base table as the engine knows it: a view's name and its columns (name, type, whether hidden)."""

    view: str
    qualifier: tuple[str, ...]
    columns: list[tuple[str, Type, bool]]


@dataclass(frozen=True, slots=True)
class Named:
    """A WITH entry: the engine's name of it, and its columns."""

    relation: str
    columns: list[tuple[str | None, Type]]


class Queries(Protocol):
    ctes: Mapping[str, Named]

    def lower(self, query: exp.Expr, parent: Scope | None) -> Output: ...

    def name(self, prefix: str) -> str: ...


class Sources:
    """Lowers the FROM of one SELECT."""

    def __init__(self, queries: Queries, parent: Scope | None) -> None:
        self._queries = queries
        self._parent = parent

    def of(self, select: exp.Select) -> tuple[str, list[Field]]:
        """The engine's FROM clause (empty without one) and the columns in sight."""
        start = select.args.get("from_")
        if start is None:
            return "", []
        sql, fields = self._joined(start.this, select.args.get("joins") or [])
        return f" from {sql}", fields

    def _joined(self, first: exp.Expr, joins: Sequence[exp.Join]) -> tuple[str, list[Field]]:
        sql, fields = self._relation(first, [])
        for join in joins:
            sql, fields = self._join(sql, fields, join)
        return sql, fields

    def _join(self, sql: str, fields: list[Field], join: exp.Join) -> tuple[str, list[Field]]:
        right, columns = self._relation(join.this, fields)
        side = str(join.side or "").upper()
        if join.args.get("using"):
            return self._using(sql, fields, right, columns, join)
        on = join.args.get("on")
        if on is None:
            return f"{sql} cross join {right}", [*fields, *columns]
        scope = Scope([*fields, *columns], self._parent)
        condition = Expressions(scope, self._queries).boolean(
            on, "JOIN ON clause must evaluate to a boolean: actual type {}"
        )
        return f"{sql} {side.lower()} join {right} on {condition.sql}", [*fields, *columns]

    def _using(
        self, sql: str, fields: list[Field], right: str, columns: list[Field], join: exp.Join
    ) -> tuple[str, list[Field]]:
        side = str(join.side or "").upper()
        conditions = []
        merged: list[Field] = []
        for name in join.args["using"]:
            place = position(name)
            first = _only(fields, name, place, "left")
            second = _only(columns, name, place, "right")
            kind = common(first.type, second.type)
            if kind is None:
                raise mismatch(place, f"Cannot apply operator: {first.type} = {second.type}")
            pair = (Value(first.sql, first.type), Value(second.sql, second.type))
            conditions.append(compared("=", *pair, place).sql)
            left_sql, right_sql = (convert(value, kind).sql for value in pair)
            chosen = {"": left_sql, "LEFT": left_sql, "RIGHT": right_sql}.get(
                side, f"coalesce({left_sql}, {right_sql})"
            )
            merged.append(Field(first.name, kind, chosen))
        names = {name.name.lower() for name in join.args["using"]}
        rest = [column for column in (*fields, *columns) if column.name not in names]
        return f"{sql} {side.lower()} join {right} on {' and '.join(conditions)}", [*merged, *rest]

    def _relation(self, node: exp.Expr, before: list[Field]) -> tuple[str, list[Field]]:
        match node:
            case exp.Table():
                return self._table(node)
            case exp.Values():
                return self._aliased(node, self._values(node))
            case exp.Unnest():
                return self._unnest(node, before)
            case exp.Lateral():
                output = self._queries.lower(node.this.this, Scope(before, self._parent))
                sql, fields = self._aliased(node, output)
                return f"lateral {sql}", fields
            case exp.Subquery() if node.meta.get("joined"):
                inner = node.this
                sql, fields = self._joined(inner.args["from_"].this, inner.args.get("joins") or [])
                if node.args.get("alias") is not None:
                    return self._renamed(node, sql, fields)
                return f"({sql})", fields
            case exp.Subquery():
                return self._aliased(node, self._queries.lower(node.this, self._parent))
        raise not_supported(f"{type(node).__name__} as a relation")

    def _renamed(self, node: exp.Subquery, sql: str, fields: list[Field]) -> tuple[str, list[Field]]:
        """Joins within parentheses that have a name of their own."""
        listed = ", ".join(f"{column.sql} as c{number}" for number, column in enumerate(fields))
        output = Output(f"select {listed} from {sql}", [(column.name, column.type) for column in fields])
        return self._aliased(node, output)

    def _table(self, node: exp.Table) -> tuple[str, list[Field]]:
        scanned = node.meta.get("scanned")
        relation = self._queries.name("r")
        alias = node.args.get("alias")
        named = self._queries.ctes.get(node.name.lower()) if scanned is None else None
        if named is not None:
            columns = [(name, kind, False, f"c{number}") for number, (name, kind) in enumerate(named.columns)]
            source = named.relation
            qualifier: tuple[str, ...] = (node.name.lower(),)
        elif isinstance(scanned, Scanned):
            columns = [(name, kind, hidden, identifier(name)) for name, kind, hidden in scanned.columns]
            source = scanned.view
            qualifier = scanned.qualifier
        else:
            raise QueryFailed("TABLE_NOT_FOUND", f"line 1:1: Table '{node.name}' does not exist")
        if alias is not None and alias.this is not None:
            qualifier = (alias.name.lower(),)
        renamed = _aliases(alias, [column for column in columns if not column[2]], node)
        fields = [
            Field(
                renamed[number] if number < len(renamed) else name,
                kind,
                f"{relation}.{engine}",
                qualifier,
                hidden,
            )
            for number, (name, kind, hidden, engine) in enumerate(columns)
        ]
        return f"{source} as {relation}", fields

    def _aliased(self, node: exp.Expr, output: Output) -> tuple[str, list[Field]]:
        relation = self._queries.name("r")
        alias = node.args.get("alias")
        qualifier: tuple[str, ...] = ()
        if alias is not None and alias.args.get("this") is not None:
            qualifier = (alias.name.lower(),)
        names = _aliases(alias, output.columns, node)
        fields = [
            Field(names[number], kind, f"{relation}.c{number}", qualifier)
            for number, (_, kind) in enumerate(output.columns)
        ]
        listed = ", ".join(f"c{number}" for number in range(len(fields)))
        return f"({output.sql}) as {relation}({listed})", fields

    def _values(self, node: exp.Values) -> Output:
        expressions = Expressions(Scope([], self._parent), self._queries)
        rows = [_cells(row, expressions) for row in node.expressions]
        kinds: list[Type] = [UNKNOWN] * len(rows[0])
        for number, row in enumerate(rows):
            if len(row) != len(kinds):
                line, column = position(node)
                raise QueryFailed("TYPE_MISMATCH", f"line {line}:{column}: Values rows have mismatched types")
            for place, cell in enumerate(row):
                meeting = common(kinds[place], cell.type)
                if meeting is None:
                    line, column = position(node.expressions[number])
                    raise QueryFailed(
                        "TYPE_MISMATCH",
                        f"line {line}:{column}: Values rows have mismatched types: {kinds[place]} vs {cell.type}",
                    )
                kinds[place] = meeting
        texts = [
            "(" + ", ".join(_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)) + ")" for row in rows
        ]
        return Output(f"values {', '.join(texts)}", [(None, kind) for kind in kinds])

    def _unnest(self, node: exp.Unnest, before: list[Field]) -> tuple[str, list[Field]]:
        expressions = Expressions(Scope(before, self._parent), self._queries)
        columns: list[tuple[str | None, Type]] = []
        texts = []
        lengths = []
        for argument in node.expressions:
            if argument.find(exp.Query):
                raise not_supported("A subquery within UNNEST")
            value = expressions.lower(argument)
            if value.type.name not in ("array", "map"):
                raise mismatch(position(argument), f"Cannot unnest type: {value.type}")
            length = "len" if value.type.name == "array" else "cardinality"
            lengths.append(f"coalesce(cast({length}({value.sql}) as BIGINT), 0)")
            for name, kind, sql in _unnested(value):
                columns.append((name, kind))
                texts.append(sql)
        if node.args.get("offset"):
            longest = lengths[0] if len(lengths) == 1 else f"greatest({', '.join(lengths)})"
            columns.append(("ordinality", BIGINT))
            texts.append(f"cast(unnest(range(1, {longest} + 1)) as BIGINT)")
        listed = ", ".join(f"{sql} as c{number}" for number, sql in enumerate(texts))
        sql, fields = self._aliased(node, Output(f"select {listed}", columns))
        return (f"lateral {sql}" if before else sql), fields


def _unnested(value: Value) -> list[tuple[str | None, Type, str]]:
    if value.type.name == "map":
        key, item = value.type.children
        return [("key", key, f"unnest(map_keys({value.sql}))"), ("value", item, f"unnest(map_values({value.sql}))")]
    (element,) = value.type.children
    if element.name != "row":
        return [(None, element, f"unnest({value.sql})")]
    return [
        (shown, kind, f"unnest(list_transform({value.sql}, lambda part: struct_extract(part, {text(name)})))")
        for name, shown, kind in zip(field_names(element), element.fields, element.children, strict=True)
    ]


def _cells(row: exp.Expr, expressions: Expressions) -> list[Value]:
    inner = row.this if isinstance(row, exp.Paren) else row
    if isinstance(inner, exp.Tuple):
        return [expressions.lower(item) for item in inner.expressions]
    return [expressions.lower(inner)]


def _cell(cell: Value, kind: Type) -> str:
    turned = convert(cell, kind)
    return f"cast({turned.sql} as {kind.duckdb})" if kind.name in ("integer", "unknown") else turned.sql


def _only(fields: list[Field], name: exp.Expr, place: tuple[int, int], side: str) -> Field:
    matches = [column for column in fields if column.name == name.name.lower()]
    if len(matches) != 1:
        raise QueryFailed(
            "COLUMN_NOT_FOUND" if not matches else "AMBIGUOUS_NAME",
            f"line {place[0]}:{place[1]}: Column '{name.name}' is missing from {side} side of join"
            if not matches
            else f"line {place[0]}:{place[1]}: Column '{name.name}' is ambiguous",
        )
    return replace(matches[0])


def _aliases(alias: exp.Expr | None, columns: Sequence[tuple[object, ...]], node: exp.Expr) -> list[str | None]:
    """The columns' names: those that the alias lists, or their own. Raises QueryFailed for a list of another length."""
    listed = [name.name.lower() for name in alias.args.get("columns") or []] if alias is not None else []
    if listed and len(listed) != len(columns):
        line, column = position(node)
        shown = alias.name if alias is not None else ""
        raise QueryFailed(
            "MISMATCHED_COLUMN_ALIASES",
            f"line {line}:{column}: Column alias list has {len(listed)} entries but '{shown}' has {len(columns)}"
            " columns available",
        )
    if listed:
        return list(listed)
    return [str(column[0]) if column[0] is not None else None for column in columns]
