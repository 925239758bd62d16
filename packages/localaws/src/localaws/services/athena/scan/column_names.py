"""Where a column's name may come from: Athena knows no alias of the same SELECT outside ORDER BY, the engine does.

A name that only an alias could mean is refused as COLUMN_NOT_FOUND, as Athena would; where the columns of a source are
not known here, nothing is refused.
"""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from localaws.services.athena.scan.catalogue import Table
from localaws.services.athena.sql.failures import QueryFailed

Columns = frozenset[str]


def check(tree: exp.Expr) -> None:
    """Look at every SELECT of a query whose tables carry their catalogue entries. Raises QueryFailed."""
    for select in tree.find_all(exp.Select):
        aliases = {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)}
        if not aliases:
            continue
        sources = _sources(select, _ctes(select))
        if sources is None or (select.find_ancestor(exp.Select) is not None and _is_correlated(select)):
            continue
        for column in _outside_order(select):
            name = column.name.lower()
            if not column.table and name in aliases and name not in sources:
                raise _unresolved(column)


def _outside_order(select: exp.Select) -> Iterator[exp.Column]:
    parts = [*select.expressions, *(select.args.get(name) for name in ("where", "group", "having"))]
    for part in parts:
        for column in part.find_all(exp.Column) if part is not None else ():
            lambdas = column.find_ancestor(exp.Lambda)
            if column.find_ancestor(exp.Select) is select and lambdas is None:
                yield column


def _is_correlated(select: exp.Select) -> bool:
    """Whether names may come from a query around this one: it stands in an expression, or beside other sources."""
    return not isinstance(select.parent, exp.CTE | exp.SetOperation) or select.find_ancestor(exp.Join) is not None


def _sources(select: exp.Select, ctes: Mapping[str, exp.CTE]) -> Columns | None:
    """All column names of FROM and JOIN, or None where some are not known."""
    start = select.args.get("from_")
    sources: set[str] = set()
    for source in [*([start.this] if start else []), *(join.this for join in select.args.get("joins") or [])]:
        columns = _of(source, ctes)
        if columns is None:
            return None
        sources |= columns
    return frozenset(sources)


def _of(source: exp.Expr, ctes: Mapping[str, exp.CTE]) -> Columns | None:
    alias = source.args.get("alias")
    if alias is not None and alias.columns:
        return frozenset(column.name.lower() for column in alias.columns)
    if isinstance(source, exp.Subquery):
        return _output(source.this, ctes)
    if isinstance(source, exp.Table):
        table = source.meta.get("localaws")
        if isinstance(table, Table):
            return frozenset([*table.columns, *table.keys, "$path", "$file_size", "$file_modified_time"])
        cte = ctes.get(source.name.lower())
        if cte is not None:
            named = cte.args["alias"].columns
            return frozenset(column.name.lower() for column in named) if named else _output(cte.this, _ctes(cte.this))
    return None


def _output(query: exp.Expr, ctes: Mapping[str, exp.CTE]) -> Columns | None:
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select):
        return None
    inner = {**ctes, **_ctes(query)}
    columns: set[str] = set()
    for item in query.expressions:
        if item.is_star:
            passed_on = _sources(query, inner)
            if passed_on is None:
                return None
            columns |= passed_on
        else:
            columns.add(item.alias_or_name.lower())
    return frozenset(columns)


def _ctes(node: exp.Expr) -> dict[str, exp.CTE]:
    """WITH entries in sight of a node, nearest first."""
    ctes: dict[str, exp.CTE] = {}
    at: exp.Expr | None = node
    below: exp.Expr | None = None
    while at is not None:
        if isinstance(at, exp.With):
            before = at.expressions[: at.expressions.index(below)] if isinstance(below, exp.CTE) else []
        else:
            with_ = at.args.get("with_")
            before = with_.expressions if with_ is not None and with_ is not below else []
        for cte in reversed(before):
            ctes.setdefault(cte.alias.lower(), cte)
        at, below = at.parent, at
    return ctes


def _unresolved(column: exp.Column) -> QueryFailed:
    name = column.name
    line = int(column.this.meta.get("line", 1))
    end = int(column.this.meta.get("col", len(name)))
    return QueryFailed(
        "COLUMN_NOT_FOUND",
        f"line {line}:{max(end - len(name) + 1, 1)}: Column '{name}' cannot be resolved or requester is not authorized"
        " to access requested resources",
    )
