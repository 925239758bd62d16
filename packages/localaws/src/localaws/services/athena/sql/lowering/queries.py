"""Queries lowered: SELECT, set operations, WITH, ORDER BY and LIMIT."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.lowering.aggregation import Aggregated, check_orderable, direction
from localaws.services.athena.sql.lowering.expressions import Expressions
from localaws.services.athena.sql.lowering.grouping import Grouping
from localaws.services.athena.sql.lowering.scope import Field, Output, Scope, spelled
from localaws.services.athena.sql.lowering.sources import Named, Sources
from localaws.services.athena.sql.trino.coercion import common
from localaws.services.athena.sql.trino.types import Type, has_any_zone, is_any_zone
from localaws.services.athena.sql.values.conversion import comparable, convert, sortable
from localaws.services.athena.sql.values.values import Value

_SET: dict[type[exp.Expr], str] = {exp.Union: "union", exp.Intersect: "intersect", exp.Except: "except"}
Column = tuple[str | None, Type]


class Lowering:
    """Lowers one statement's query; names within the engine's text are its own and never clash."""

    def __init__(self) -> None:
        self.ctes: Mapping[str, Named] = {}
        self._count = 0

    def name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def lower(self, query: exp.Expr, parent: Scope | None = None) -> Output:
        """The query's text and columns. Raises QueryFailed as Trino's analyzer does."""
        while isinstance(query, exp.Subquery) and not query.args.get("with_"):
            query = query.this
        outer = self.ctes
        try:
            prefix = self._with(query.args.get("with_"), parent)
            if isinstance(query, exp.SetOperation):
                output = self._set_operation(query, parent)
            elif isinstance(query, exp.Select):
                output = Selection(self, query, parent).output()
            else:
                output = self.lower(query.this, parent)
            return Output(prefix + output.sql, output.columns)
        finally:
            self.ctes = outer

    def _with(self, with_: exp.Expr | None, parent: Scope | None) -> str:
        if with_ is None:
            return ""
        parts = []
        recursive = bool(with_.args.get("recursive"))
        names = set()
        for cte in with_.expressions:
            name = cte.alias.lower()
            if name in names:
                line, column = position(cte.args["alias"].this)
                raise QueryFailed(
                    "DUPLICATE_NAMED_QUERY", f"line {line}:{column}: WITH query name '{name}' specified more than once"
                )
            names.add(name)
            relation = self.name("w")
            output = self._cte(cte, relation, parent, recursive=recursive)
            listed = ", ".join(f"c{number}" for number in range(len(output.columns)))
            parts.append(f"{relation}({listed}) as ({output.sql})")
            self.ctes = {**self.ctes, name: Named(relation, output.columns)}
        return f"with {'recursive ' if recursive else ''}{', '.join(parts)} "

    def _cte(self, cte: exp.CTE, relation: str, parent: Scope | None, *, recursive: bool) -> Output:
        names = [column.name.lower() for column in cte.args["alias"].columns]
        query = cte.this
        if recursive and _mentions(query, cte.alias.lower()) and isinstance(query, exp.Union):
            if not names:
                line, column = position(cte.args["alias"].this)
                raise QueryFailed(
                    "MISSING_COLUMN_ALIASES", f"line {line}:{column}: missing column aliases in recursive WITH query"
                )
            first = self.lower(query.this, parent)
            columns = _renamed(first.columns, names, cte)
            outer = self.ctes
            self.ctes = {**outer, cte.alias.lower(): Named(relation, columns)}
            step = self.lower(query.expression, parent)
            self.ctes = outer
            turned = self._turned(step, [kind for _, kind in columns])
            word = "union" if query.args.get("distinct") else "union all"
            return Output(f"({first.sql}) {word} ({turned})", columns)
        output = self.lower(query, parent)
        return Output(output.sql, _renamed(output.columns, names, cte))

    def _set_operation(self, query: exp.SetOperation, parent: Scope | None) -> Output:
        inner = Scope([], parent, is_closed=True) if parent is not None else None
        left = self.lower(query.this, inner)
        right = self.lower(query.expression, inner)
        word = _SET[type(query)]
        line, column = position(query)
        if len(left.columns) != len(right.columns):
            raise QueryFailed(
                "TYPE_MISMATCH",
                f"line {line}:{column}: {word.upper()} query has different number of fields:"
                f" {len(left.columns)}, {len(right.columns)}",
            )
        kinds = []
        for number, ((_, first), (_, second)) in enumerate(zip(left.columns, right.columns, strict=True), start=1):
            kind = common(first, second)
            if kind is None:
                raise QueryFailed(
                    "TYPE_MISMATCH",
                    f"line {line}:{column}: column {number} in {word.upper()} query has incompatible types:"
                    f" {first}, {second}",
                )
            kinds.append(kind)
        columns = [(name, kind) for (name, _), kind in zip(left.columns, kinds, strict=True)]
        whole = "" if query.args.get("distinct") else " all"
        if any(map(has_any_zone, kinds)) and not (word == "union" and whole):
            raise not_supported(f"{word.upper()} over timestamps with zones of their own")
        sql = f"({self._turned(left, kinds)}) {word}{whole} ({self._turned(right, kinds)})"
        return self._limited(query, Output(sql, columns))

    def _turned(self, output: Output, kinds: Sequence[Type]) -> str:
        """The query with its columns as the types."""
        if [kind for _, kind in output.columns] == list(kinds):
            return output.sql
        relation = self.name("q")
        values = [output.value(number, relation) for number in range(len(kinds))]
        for value, kind in zip(values, kinds, strict=True):
            if common(value.type, kind) != kind:
                raise QueryFailed(
                    "TYPE_MISMATCH",
                    f"line 1:1: recursion step relation output type {value.type} is not coercible to {kind}",
                )
        listed = ", ".join(convert(value, kind).sql for value, kind in zip(values, kinds, strict=True))
        names = ", ".join(f"c{number}" for number in range(len(kinds)))
        return f"select {listed} from ({output.sql}) as {relation}({names})"

    def _limited(self, query: exp.Expr, output: Output) -> Output:
        """ORDER BY, OFFSET and LIMIT over the result of a set operation."""
        if not any(query.args.get(part) for part in ("order", "limit", "offset")):
            return output
        relation = self.name("q")
        fields = [Field(name, kind, f"{relation}.c{number}") for number, (name, kind) in enumerate(output.columns)]
        names = ", ".join(f"c{number}" for number in range(len(fields)))
        items = [Value(column.sql, column.type) for column in fields]
        expressions = Aggregated(Scope(fields), self)
        order = sorting(query, expressions, items)
        listed = ", ".join(column.sql for column in fields)
        sql = f"select {listed} from ({output.sql}) as {relation}({names}){order}{limits(query, self)}"
        return Output(sql, output.columns)


class Selection:
    """One SELECT."""

    def __init__(self, queries: Lowering, select: exp.Select, parent: Scope | None) -> None:
        self._queries = queries
        self._select = select
        sql, self._fields = Sources(queries, parent).of(select)
        self._from = sql
        self._scope = Scope(self._fields, parent)

    def output(self) -> Output:
        select = self._select
        where = ""
        if select.args.get("where") is not None:
            condition = Expressions(self._scope, self._queries).boolean(
                select.args["where"].this, "WHERE clause must evaluate to a boolean: actual type {}"
            )
            where = f" where {condition.sql}"
        grouping = Grouping.of(select, self._scope, self._queries)
        expressions = Aggregated(self._scope, self._queries, grouping.keys)
        names, items = self._items(expressions)
        having = ""
        if select.args.get("having") is not None:
            condition = expressions.boolean(
                select.args["having"].this, "HAVING clause must evaluate to a boolean: actual type {}"
            )
            having = f" having {condition.sql}"
        aliases = {name: item for name, item in zip(names, items, strict=True) if name is not None}
        ordering = Aggregated(self._scope, self._queries, grouping.keys, aliases)
        order = self._order(ordering, items)
        is_grouped = bool(grouping.is_grouped or having or expressions.aggregates or ordering.aggregates)
        if is_grouped:
            grouping.check([*expressions.loose, *ordering.loose])
        if is_grouped and not grouping.is_grouped and not having:
            having = " having true"  # an aggregate that only typeof() sees leaves the one row
        distinct = _distinct(items) if select.args.get("distinct") is not None else ""
        listed = ", ".join(f"{item.sql} as c{number}" for number, item in enumerate(items))
        body = f"{self._from}{where}{grouping.sql}{having}"
        columns = [(name, item.type) for name, item in zip(names, items, strict=True)]
        if _has_ties(select):
            return Output(self._with_ties(listed, body, order, len(items), distinct), columns)
        return Output(f"select {distinct}{listed}{body}{order}{limits(select, self._queries)}", columns)

    def _items(self, expressions: Aggregated) -> tuple[list[str | None], list[Value]]:
        names: list[str | None] = []
        items: list[Value] = []
        for item in self._select.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                for column in self._starred(item):
                    names.append(column.name)
                    value = Value(column.sql, column.type)
                    if value.sql not in expressions.keys:
                        named = exp.column(column.name or "_col")
                        named.meta["at"] = position(item)
                        expressions.loose.append(named)
                    items.append(value)
            else:
                names.append(_name(item))
                items.append(expressions.lower(item.this if isinstance(item, exp.Alias) else item))
        return names, items

    def _starred(self, item: exp.Expr) -> list[Field]:
        qualifier = tuple(part.name.lower() for part in item.parts[:-1]) if isinstance(item, exp.Column) else ()
        fields = [
            column
            for column in self._fields
            if not column.hidden and (not qualifier or column.qualifier[-len(qualifier) :] == qualifier)
        ]
        if not fields:
            line, column_at = position(item)
            if qualifier:
                raise QueryFailed(
                    "TABLE_NOT_FOUND", f"line {line}:{column_at}: Unable to resolve reference {'.'.join(qualifier)}"
                )
            raise QueryFailed(
                "COLUMN_NOT_FOUND", f"line {line}:{column_at}: SELECT * not allowed from relation that has no columns"
            )
        return fields

    def _order(self, expressions: Aggregated, items: list[Value]) -> str:
        distinct = self._select.args.get("distinct") is not None
        return sorting(self._select, expressions, items, distinct=distinct)

    def _with_ties(self, listed: str, body: str, order: str, width: int, distinct: str) -> str:
        if not order or self._select.args.get("offset") is not None or distinct:
            raise not_supported("FETCH FIRST WITH TIES without ORDER BY, or with OFFSET or DISTINCT")
        count = count_of(self._select.args["limit"].expression, self._queries)
        relation = self._queries.name("q")
        sort = order.removeprefix(" order by ")
        names = ", ".join(f"{relation}.c{number}" for number in range(width))
        return (
            f"select {names} from (select {listed}, rank() over (order by {sort}) as ties{body}) as {relation}"
            f" where {relation}.ties <= {count} order by {relation}.ties"
        )


def _distinct(items: Sequence[Value]) -> str:
    """DISTINCT, of which the instants of timestamps with zones of their own count."""
    if not any(has_any_zone(item.type) for item in items):
        return "distinct "
    if any(has_any_zone(item.type) and not is_any_zone(item.type) for item in items):
        raise not_supported("DISTINCT over timestamps with zones of their own within arrays, maps or rows")
    return f"distinct on ({', '.join(comparable(item) for item in items)}) "


def _has_ties(select: exp.Expr) -> bool:
    limit = select.args.get("limit")
    return limit is not None and bool(limit.meta.get("ties"))


def sorting(query: exp.Expr, expressions: Aggregated, items: list[Value], *, distinct: bool = False) -> str:
    """ORDER BY: by number, by a name of the result, or by an expression."""
    order = query.args.get("order")
    if order is None:
        return ""
    parts = []
    for item in order.expressions:
        value = _sort_value(item, expressions, items)
        check_orderable(value.type, position(item))
        texts = [value_item.sql for value_item in items]
        if distinct and value.sql not in texts:
            line, column = position(item)
            raise QueryFailed(
                "EXPRESSION_NOT_IN_DISTINCT",
                f"line {line}:{column}: For SELECT DISTINCT, ORDER BY expressions must appear in select list",
            )
        sql = (
            str(texts.index(value.sql) + 1)
            if value.sql in texts
            and value.type.name != "array"
            and not is_any_zone(value.type)
            and not _has_ties(query)
            else sortable(value)
        )
        parts.append(f"{sql}{direction(item)}")
    return f" order by {', '.join(parts)}"


def _sort_value(item: exp.Expr, expressions: Aggregated, items: list[Value]) -> Value:
    node = item.this
    if isinstance(node, exp.Literal) and node.is_int and not node.is_string:
        number = int(node.name)
        if not 1 <= number <= len(items):
            line, column = position(item)
            raise QueryFailed(
                "INVALID_COLUMN_REFERENCE", f"line {line}:{column}: ORDER BY position {number} is not in select list"
            )
        return items[number - 1]
    return expressions.lower(node)


def limits(query: exp.Expr, queries: Lowering) -> str:
    """LIMIT and OFFSET."""
    sql = ""
    limit = query.args.get("limit")
    if limit is not None:
        sql += f" limit {count_of(limit.expression, queries)}"
    offset = query.args.get("offset")
    if offset is not None:
        sql += f" offset {count_of(offset.expression, queries)}"
    return sql


def count_of(node: exp.Expr, queries: Lowering) -> str:
    value = Expressions(Scope(), queries).lower(node)
    if not isinstance(value.constant, int) or value.constant < 0:
        raise QueryFailed("INVALID_LIMIT_CLAUSE", "line 1:1: A row count must be a number that is not negative")
    return str(value.constant)


def _name(item: exp.Expr) -> str | None:
    if isinstance(item, exp.Alias):
        return str(item.alias).lower()
    if isinstance(item, exp.Column):
        return item.name.lower()
    if isinstance(item, exp.Dot):
        return str(item.expression.name).lower()
    return None


def _renamed(columns: list[Column], names: list[str], cte: exp.CTE) -> list[Column]:
    if not names:
        return columns
    if len(names) != len(columns):
        line, column = position(cte.args["alias"].this)
        raise QueryFailed(
            "MISMATCHED_COLUMN_ALIASES",
            f"line {line}:{column}: Column alias list has {len(names)} entries but relation has {len(columns)} columns",
        )
    return [(name, kind) for name, (_, kind) in zip(names, columns, strict=True)]


def _mentions(query: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name and not table.args.get("db") for table in query.find_all(exp.Table))


__all__ = ["Lowering", "spelled"]
