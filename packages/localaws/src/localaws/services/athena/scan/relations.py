"""The relations of a query: views put in as subqueries, base tables as scans of pruned files."""

import base64
import json
from typing import Any

from sqlglot import exp

from localaws.services.athena.scan import information_schema, partition_list
from localaws.services.athena.scan.catalogue import Catalogue, Table
from localaws.services.athena.scan.plan import Plan
from localaws.services.athena.scan.pruning import NeededRows
from localaws.services.athena.scan.table_scan import HIDDEN, Scanner, mentions_hidden
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.dialect import parse_query
from localaws.services.athena.sql.grammar.token_cursor import position
from localaws.services.athena.sql.lowering.queries import Lowering
from localaws.services.athena.sql.lowering.sources import Scanned
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.sql.trino.types import BIGINT, VARCHAR, Type, timestamp

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

    def plan(self, query: exp.Query) -> Plan:
        """A query in Athena's SQL as the engine runs it; its tables become scans."""
        holder = exp.Paren(this=query.copy())
        self._expand(holder, self._database, depth=0)
        tree = holder.this
        needed = NeededRows()
        needed.read(tree, [], {})
        self._scan_all(tree, needed)
        output = Lowering().lower(tree)
        names = [name or f"_col{number}" for number, (name, _) in enumerate(output.columns)]
        return Plan(output.sql, list(zip(names, (kind for _, kind in output.columns), strict=True)))

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
            if (node.db or database or "").lower() == information_schema.SCHEMA:
                self._describe(node)
                continue
            if node.name.lower().endswith(partition_list.SUFFIX):
                self._list_partitions(node, database)
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

    def _describe(self, node: exp.Table) -> None:
        """Note in a table of information_schema what it holds."""
        name = node.name.lower()
        scanned = information_schema.relation(self._catalogue, name, CATALOG, lambda table: view_definition(table)[0])
        if scanned is None:
            line, column = position(node)
            raise QueryFailed(
                "TABLE_NOT_FOUND",
                f"line {line}:{column}: Table '{CATALOG}.{information_schema.SCHEMA}.{name}' does not exist",
            )
        node.meta["scanned"] = scanned

    def _list_partitions(self, node: exp.Table, database: str | None) -> None:
        """Note in `"table$partitions"` what it holds."""
        base = node.copy()
        base.set("this", exp.to_identifier(node.name[: -len(partition_list.SUFFIX)], quoted=True))
        base.meta.update(node.meta)
        table = self._find(base, database)
        if not table.keys or table.is_view:
            line, column = position(node)
            name = f"{CATALOG}.{table.database}.{node.name.lower()}"
            raise QueryFailed("TABLE_NOT_FOUND", f"line {line}:{column}: Table '{name}' does not exist")
        node.meta["scanned"] = partition_list.relation(self._catalogue, table, CATALOG)

    def _find(self, node: exp.Table, database: str | None) -> Table:
        catalog = node.catalog.lower()
        home = (node.db or database or "").lower()
        line, column = position(node)
        at = f"line {line}:{column}"
        if catalog and catalog != CATALOG:
            raise QueryFailed("CATALOG_NOT_FOUND", f"{at}: Catalog '{catalog}' does not exist")
        if not home:
            raise QueryFailed("MISSING_SCHEMA_NAME", f"{at}: Schema must be specified when session schema is not set")
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
        for node in list(tree.find_all(exp.Table)):
            table: Any = node.meta.get("localaws")
            if table is None:
                continue
            scan = self._scanner.scan(table, needed.of(node), hidden=hidden)
            qualifier = (CATALOG, table.database, table.name)
            node.meta["scanned"] = Scanned(scan.view, qualifier, columns_of(table, hidden=hidden))


def columns_of(table: Table, *, hidden: bool = False) -> list[tuple[str, Type, bool]]:
    """Name and type of a table's columns and partition keys; and, if asked for, of the hidden ones."""
    columns = {**table.columns, **table.keys}
    listed = [(name, hive_types.parse(kind).trino, False) for name, kind in columns.items()]
    if hidden:
        instant = timestamp(3, zoned=True, zone="UTC")
        listed += [(name, kind, True) for name, kind in zip(HIDDEN, (VARCHAR, BIGINT, instant), strict=True)]
    return listed


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
