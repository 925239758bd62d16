"""The relations of a query: views put in as subqueries, base tables as scans of pruned files."""

import base64
import json
from typing import Any

from sqlglot import exp

from localaws.services.athena.scan import column_names
from localaws.services.athena.scan.catalogue import Catalogue, Table
from localaws.services.athena.scan.pruning import NeededRows
from localaws.services.athena.scan.table_scan import Scanner, mentions_hidden
from localaws.services.athena.sql.dialect import engine_sql, parse_query
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.translate import translate

_PREFIX = "/* Presto View: "
_SUFFIX = " */"
_DEPTH = 40
CATALOG = "awsdatacatalog"


def view_text(sql: str, database: str, columns: list[tuple[str, str]]) -> str:
    """A view's definition in the form in which Athena keeps it in Glue's ViewOriginalText."""
    body = {
        "originalSql": sql,
        "catalog": CATALOG,
        "schema": database,
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    return _PREFIX + base64.b64encode(json.dumps(body).encode()).decode() + _SUFFIX


def view_definition(table: Table) -> tuple[str, str]:
    """A view's SQL, and the database in which its names are meant."""
    text = str(table.raw.get("ViewOriginalText") or "")
    if not text.startswith(_PREFIX):
        raise QueryFailed("INVALID_VIEW", f"View {table.database}.{table.name} is not an Athena view")
    body = json.loads(base64.b64decode(text.removeprefix(_PREFIX).removesuffix(_SUFFIX)))
    return str(body["originalSql"]), str(body.get("schema") or table.database)


class Relations:
    """Prepares one statement's query for DuckDB."""

    def __init__(self, catalogue: Catalogue, scanner: Scanner, database: str | None) -> None:
        self._catalogue = catalogue
        self._scanner = scanner
        self._database = database
        self._tables: dict[tuple[str, str], Table] = {}

    def sql(self, query: exp.Query) -> str:
        """DuckDB's text of a query in Athena's SQL; its tables become scans."""
        holder = exp.Paren(this=_named(query.copy()))
        self._expand(holder, self._database, depth=0)
        tree = holder.this
        column_names.check(tree)
        needed = NeededRows()
        needed.read(tree, [], {})
        self._scan_all(tree, needed)
        return engine_sql(translate(tree))

    def _expand(self, holder: exp.Expr, database: str | None, depth: int) -> None:
        """Put views' queries in place of their names, and note in each base table which it is."""
        if depth > _DEPTH:
            raise QueryFailed("INVALID_VIEW", "Views are nested too deeply")
        for node in list(holder.find_all(exp.Table)):
            if isinstance(node.this, exp.Anonymous) or not isinstance(node.this, exp.Identifier):
                raise not_supported("A table function")
            if node.args.get("sample") or node.args.get("version"):
                raise not_supported("TABLESAMPLE or time travel")
            if _is_cte(node):
                continue
            table = self._find(node, database)
            if not table.is_view:
                node.meta["localaws"] = table
                continue
            sql, home = view_definition(table)
            inner = exp.Paren(this=parse_query(sql))
            self._expand(inner, home, depth + 1)
            alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
            node.replace(exp.Subquery(this=inner.this, alias=alias.copy()))

    def _find(self, node: exp.Table, database: str | None) -> Table:
        catalog = node.catalog.lower()
        home = (node.db or database or "").lower()
        line = int(node.this.meta.get("line", 1))
        column = int(node.this.meta.get("col", 1))
        at = f"line {line}:{max(column - len(node.name) + 1, 1)}"
        if catalog and catalog != CATALOG:
            raise QueryFailed("CATALOG_NOT_FOUND", f"{at}: Catalog '{catalog}' does not exist")
        if not home:
            raise QueryFailed("MISSING_SCHEMA_NAME", f"{at}: Schema must be specified when session schema is not set")
        if home == "information_schema":
            raise not_supported("information_schema")
        key = (home, node.name.lower())
        if key not in self._tables:
            table = self._catalogue.table(*key)
            if table is None:
                if not self._catalogue.has_database(home):
                    raise QueryFailed("SCHEMA_NOT_FOUND", f"{at}: Schema '{home}' does not exist")
                raise QueryFailed("TABLE_NOT_FOUND", f"{at}: Table '{CATALOG}.{home}.{key[1]}' does not exist")
            self._tables[key] = table
        return self._tables[key]

    def _scan_all(self, tree: exp.Expr, needed: NeededRows) -> None:
        hidden = mentions_hidden(tree)
        if hidden:
            _spell_stars(tree)
        databases = set()
        for node in list(tree.find_all(exp.Table)):
            table: Any = node.meta.get("localaws")
            if table is None:
                continue
            scan = self._scanner.scan(table, needed.of(node), hidden=hidden)
            databases.add(table.database)
            alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
            node.replace(exp.Table(this=exp.to_identifier(scan.view, quoted=True), alias=alias.copy()))
        for column in tree.find_all(exp.Column):
            if column.args.get("db") and column.text("db").lower() in databases:
                column.set("db", None)
                column.set("catalog", None)


def _is_cte(node: exp.Table) -> bool:
    """Whether the name is that of a WITH entry in sight."""
    if node.args.get("db"):
        return False
    name = node.name.lower()
    parent: exp.Expr | None = node.parent
    below: exp.Expr = node
    while parent is not None:
        with_ = parent.args.get("with_")
        if with_ is not None and below is not with_ and any(cte.alias.lower() == name for cte in with_.expressions):
            return True
        if isinstance(parent, exp.With) and isinstance(below, exp.CTE):
            place = next(
                n for n, expression in enumerate(parent.expressions) if expression is below
            )  # by identity: == hashes trees
            before = parent.expressions[: place + (1 if parent.args.get("recursive") else 0)]
            if any(cte.alias.lower() == name for cte in before):
                return True
        below = parent
        parent = parent.parent
    return False


def _named(query: exp.Query) -> exp.Query:
    """Names for the unnamed columns of the result, by their place as Athena gives them (_col0, _col1)."""
    top: exp.Expr = query
    while isinstance(top, exp.SetOperation | exp.Subquery):
        top = top.this
    if isinstance(top, exp.Select):
        for number, item in enumerate(top.expressions):
            if not isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Dot):
                item.replace(exp.alias_(item.copy(), f"_col{number}"))
    return query


def _spell_stars(tree: exp.Expr) -> None:
    """Write a star over base tables out, as hidden columns are not part of it."""
    for select in tree.find_all(exp.Select):
        if not any(item.is_star for item in select.expressions):
            continue
        start = select.args.get("from_")
        joined = [join.this for join in select.args.get("joins") or []]
        tables = [*([start.this] if start else []), *joined]
        items: list[exp.Expr] = []
        for item in select.expressions:
            if not item.is_star:
                items.append(item)
                continue
            qualifier = item.table.lower() if isinstance(item, exp.Column) else ""
            for source in tables:
                if qualifier and source.alias_or_name.lower() != qualifier:
                    continue
                table: Any = source.meta.get("localaws") if isinstance(source, exp.Table) else None
                name = source.alias_or_name
                if table is None:
                    items.append(exp.Column(this=exp.Star(), table=exp.to_identifier(name, quoted=True)))
                else:
                    items += [exp.column(column, table=name, quoted=True) for column in {**table.columns, **table.keys}]
        select.set("expressions", items)
