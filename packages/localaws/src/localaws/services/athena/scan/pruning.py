"""Which conditions on partition keys surely hold for the rows that a query wants of each table.

Conditions are carried down from WHERE and inner joins into derived tables and CTEs. All this may find too little,
never too much: the conditions are still evaluated by the query itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlglot import exp

from localaws.services.athena.sql.trino_functions import AGGREGATES

Conditions = list[exp.Expr]
_BARRIERS = (exp.Subquery, exp.Select, exp.Exists, exp.Window, exp.Unnest)


class NeededRows:
    """Conditions by base table node (by identity)."""

    def __init__(self) -> None:
        self._by_table: dict[int, Conditions] = {}
        self._by_cte: dict[int, list[Conditions]] = defaultdict(list)

    def of(self, table: exp.Table) -> Conditions:
        return self._by_table.get(id(table), [])

    def read(self, query: exp.Expr, conditions: Conditions, ctes: Mapping[str, exp.CTE]) -> None:
        """Walk a query whose output rows are wanted under `conditions` (over its bare output names)."""
        with_ = query.args.get("with_")
        inner = list(with_.expressions) if with_ else []
        visible = {**ctes, **{cte.alias.lower(): cte for cte in inner}}
        if isinstance(query, exp.Subquery):
            self.read(query.this, conditions if not query.args.get("limit") else [], visible)
        elif isinstance(query, exp.SetOperation):
            self._branches(query, conditions, visible)
        elif isinstance(query, exp.Select):
            self._select(query, conditions, visible)
        for cte in reversed(inner):
            uses = self._by_cte.pop(id(cte), [])
            recursive = bool(with_ and with_.args.get("recursive"))
            self.read(cte.this, [] if recursive else _renamed_for(cte, _either(uses)), visible)

    def _branches(self, query: exp.SetOperation, conditions: Conditions, ctes: Mapping[str, exp.CTE]) -> None:
        usable = [] if query.args.get("limit") else conditions
        left = query.this
        right = query.expression
        names = _output_names(left)
        self.read(left, usable if names else [], ctes)
        there = _output_names(right)
        if names and there and len(names) == len(there):
            mapping: dict[str, exp.Expr] = {name: exp.column(other) for name, other in zip(names, there, strict=True)}
            self.read(right, [mapped for c in usable if (mapped := _mapped(c, mapping)) is not None], ctes)
        else:
            self.read(right, [], ctes)

    def _select(self, query: exp.Select, conditions: Conditions, ctes: Mapping[str, exp.CTE]) -> None:
        sources = _sources(query)
        local = _conjuncts(query.args["where"].this) if query.args.get("where") else []
        passing = _passing(query, sources)
        local += [mapped for c in conditions if (mapped := _mapped(c, passing)) is not None]
        joins = query.args.get("joins") or []
        outer = any(join.side in ("RIGHT", "FULL") for join in joins)
        for join in joins:
            if not join.side and join.args.get("on") is not None:
                local += _conjuncts(join.args["on"])
        for alias, (source, join) in sources.items():
            usable: Conditions = []
            if not outer:
                usable = local if join is None or join.side != "LEFT" else []
                if join is not None and join.side == "LEFT" and join.args.get("on") is not None:
                    usable = _conjuncts(join.args["on"])
            self._source(source, _about(usable, alias, alone=len(sources) == 1), ctes)
        roots = {id(source) for source, _ in sources.values()}
        for node in query.find_all(exp.Query):
            # Subqueries within expressions: their rows are wanted whatever the conditions outside.
            if (
                node is not query
                and node.parent_select is query
                and not _below(node, roots)
                and not _in_with(node, query)
            ):
                self.read(node, [], ctes)

    def _source(self, source: exp.Expr, conditions: Conditions, ctes: Mapping[str, exp.CTE]) -> None:
        if isinstance(source, exp.Table):
            cte = None if source.args.get("db") else ctes.get(source.name.lower())
            if cte is not None:
                self._by_cte[id(cte)].append(conditions)
            else:
                self._by_table[id(source)] = conditions
        elif isinstance(source, exp.Subquery):
            alias = source.args.get("alias")
            self.read(source, [] if alias and alias.columns else conditions, ctes)
        elif isinstance(source, exp.Lateral) and isinstance(source.this, exp.Subquery):
            self.read(source.this, [], ctes)


def _sources(query: exp.Select) -> dict[str, tuple[exp.Expr, exp.Join | None]]:
    sources: dict[str, tuple[exp.Expr, exp.Join | None]] = {}
    start = query.args.get("from_")
    entries: list[tuple[exp.Expr, exp.Join | None]] = [(start.this, None)] if start else []
    entries += [(join.this, join) for join in query.args.get("joins") or []]
    for number, (source, join) in enumerate(entries):
        sources[(source.alias_or_name or f"?{number}").lower()] = (source, join)
    return sources


def _conjuncts(condition: exp.Expr) -> Conditions:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return _conjuncts(condition.this) + _conjuncts(condition.expression)
    return [] if condition.find(*_BARRIERS) else [condition]


def _about(conditions: Conditions, alias: str, *, alone: bool) -> Conditions:
    """Those that speak of one source only, its qualifier removed."""
    unqualified = []
    for condition in conditions:
        columns = list(condition.find_all(exp.Column))
        if columns and all(column.table.lower() == alias or (alone and not column.table) for column in columns):
            unqualified.append(_mapped(condition, None))
    return [condition for condition in unqualified if condition is not None]


def _mapped(condition: exp.Expr, mapping: Mapping[str, exp.Expr] | None) -> exp.Expr | None:
    """A copy whose columns are replaced (or, without a mapping, unqualified); None where one has no counterpart."""
    copy = exp.paren(condition.copy())
    for column in list(copy.find_all(exp.Column)):
        if mapping is None:
            column.replace(exp.column(column.this.copy()))
            continue
        target = mapping.get(column.name.lower()) or mapping.get("*")
        if target is None:
            return None
        column.replace(exp.column(column.this.copy()) if isinstance(target, exp.Star) else target.copy())
    inner: exp.Expr = copy.this
    return inner


def _passing(query: exp.Select, sources: Mapping[str, object]) -> dict[str, exp.Expr]:
    """Output name -> the source column that it simply passes on, where a condition may go through."""
    if any(query.args.get(barrier) for barrier in ("limit", "offset", "qualify")):
        return {}
    group = query.args.get("group")
    keys = _group_keys(query, group) if group else None
    if keys is None and _aggregates(query):
        return {}
    windows = list(query.find_all(exp.Window))
    columns: dict[str, exp.Expr] = {}
    for item in query.expressions:
        value = item.this if isinstance(item, exp.Alias) else item
        if isinstance(value, exp.Star) and len(sources) == 1 and not windows and keys is None:
            columns["*"] = value
        elif isinstance(value, exp.Column) and not isinstance(value.this, exp.Star):
            in_windows = all(_has(window.args.get("partition_by") or [], value) for window in windows)
            if in_windows and (keys is None or _has(keys, value)):
                columns[item.alias_or_name.lower()] = value
    if windows and any(isinstance(item, exp.Star) for item in query.expressions) and len(sources) == 1 and keys is None:
        _through_windows(windows, columns)
    return columns


def _through_windows(windows: Sequence[exp.Window], columns: dict[str, exp.Expr]) -> None:
    """Under a star, columns by which every window is partitioned pass too."""
    for key in windows[0].args.get("partition_by") or []:
        if isinstance(key, exp.Column) and all(_has(window.args.get("partition_by") or [], key) for window in windows):
            columns.setdefault(key.name.lower(), key)


def _group_keys(query: exp.Select, group: exp.Group) -> list[exp.Expr]:
    if any(group.args.get(kind) for kind in ("grouping_sets", "cube", "rollup", "all")):
        return []
    keys = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and key.is_int:
            position = int(key.name) - 1
            item = query.expressions[position] if position < len(query.expressions) else exp.Null()
            keys.append(item.this if isinstance(item, exp.Alias) else item)
        else:
            keys.append(key)
    return keys


def _aggregates(query: exp.Select) -> bool:
    """Whether the select may fold rows without GROUP BY: any call outside a window that might be an aggregate."""
    calls = [node for item in query.expressions for node in item.find_all(exp.Anonymous)]
    return any(str(node.this).lower() in AGGREGATES and not _in_window(node) for node in calls)


def _in_window(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Window | exp.IgnoreNulls | exp.RespectNulls) or (
        isinstance(node.parent, exp.Filter) and isinstance(node.parent.parent, exp.Window)
    )


def _has(items: Sequence[exp.Expr], column: exp.Column) -> bool:
    return any(
        isinstance(item, exp.Column)
        and item.name.lower() == column.name.lower()
        and (not item.table or not column.table or item.table.lower() == column.table.lower())
        for item in items
    )


def _either(uses: list[Conditions]) -> Conditions:
    """What holds for the rows of a CTE that some use wants: its only use's conditions, or one use or another's."""
    if not uses or any(not use for use in uses):
        return []
    if len(uses) == 1:
        return uses[0]
    return [exp.or_(*(exp.and_(*(part.copy() for part in use)) for use in uses))]


def _renamed_for(cte: exp.CTE, conditions: Conditions) -> Conditions:
    alias = cte.args.get("alias")
    return [] if alias and alias.columns else conditions


def _output_names(query: exp.Expr) -> list[str]:
    while isinstance(query, exp.Subquery | exp.SetOperation):
        query = query.this
    if not isinstance(query, exp.Select) or any(item.is_star for item in query.expressions):
        return []
    return [item.alias_or_name.lower() for item in query.expressions]


def _below(node: exp.Expr, roots: set[int]) -> bool:
    parent: exp.Expr | None = node
    while parent is not None:
        if id(parent) in roots:
            return True
        parent = parent.parent
    return False


def _in_with(node: exp.Expr, query: exp.Select) -> bool:
    with_ = query.args.get("with_")
    parent: exp.Expr | None = node
    while parent is not None and parent is not query:
        if parent is with_:
            return True
        parent = parent.parent
    return False
