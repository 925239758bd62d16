"""What a running statement has at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlglot import exp

from localaws.services.athena.execution.engine import Engine
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.accounting import scanned_bytes
from localaws.services.athena.scan.catalogue import Catalogue, Table
from localaws.services.athena.scan.plan import Plan
from localaws.services.athena.scan.relations import Relations
from localaws.services.athena.scan.storage import Place, Storage, place
from localaws.services.athena.scan.table_scan import Scanner
from localaws.services.athena.sql.failures import QueryCancelled, QueryFailed


@dataclass(slots=True, kw_only=True)
class Session:
    """One statement's surroundings."""

    id: str
    database: str | None
    catalogue: Catalogue
    storage: Storage
    engine: Engine
    cursor: Any  # the engine's connection
    output: Place | None  # folder for what has no location of its own; none where Athena manages results
    scratch: Path
    cutoff: int | None = None  # bytes
    scanned: int = 0
    learn: Callable[[str], None] | None = None  # prepares the engine for what a plan mentions
    planned: bool = False

    def plan(self, query: exp.Query) -> Plan:
        """The query as the engine runs it, its cost counted.

        Raises QueryFailed as Athena's analyzer does, QueryCancelled where the workgroup's cut-off is passed.
        """
        plan, scanner = self._planned(query)
        if self.learn is not None:
            self.learn(plan.sql)
        self.scanned += scanned_bytes(self.cursor, plan.sql, scanner.scans)
        if self.cutoff is not None and self.scanned > self.cutoff:
            raise QueryCancelled("Bytes scanned limit was exceeded")
        return plan

    def describe(self, query: exp.Query) -> Plan:
        """The same for a query of which nothing is read, as that of a view: it costs nothing."""
        plan, _ = self._planned(query)
        return plan

    def _planned(self, query: exp.Query) -> tuple[Plan, Scanner]:
        scanner = Scanner(self.catalogue, self.storage, self.cursor, self.scratch)
        return Relations(self.catalogue, scanner, self.database).plan(query), scanner

    def named(self, name: Sequence[str]) -> tuple[str, str]:
        """Database and table of a name of one to three parts, lower case."""
        parts = [part.lower() for part in name][-2:]
        database = parts[0] if len(parts) == 2 else (self.database or "").lower()
        if not database:
            raise QueryFailed(
                "MISSING_SCHEMA_NAME", "line 1:1: Schema must be specified when session schema is not set"
            )
        return database, parts[-1]

    def new_table_folder(self, location: str | None) -> Place:
        """Where a CTAS writes: its own location, else below the output location. Raises QueryFailed."""
        if location:
            return place(location).folder()
        if self.output is None:
            raise QueryFailed(
                "INVALID_TABLE_PROPERTY",
                "CREATE TABLE AS SELECT needs an 'external_location' ('location' of an Iceberg table) in a workgroup"
                " with managed query results",
            )
        return self.output.below(f"tables/{self.id}/")

    def table(self, name: Sequence[str]) -> Table:
        """The table of a name. Raises QueryFailed TABLE_NOT_FOUND."""
        database, table = self.named(name)
        existing = self.catalogue.table(database, table)
        if existing is None:
            raise QueryFailed("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{table}' does not exist")
        return existing


class Statement(Protocol):
    """A parsed statement."""

    @property
    def kind(self) -> str:
        """StatementType: DML, DDL or UTILITY."""
        ...

    @property
    def substatement(self) -> str:
        """SubstatementType: SELECT, CREATE_TABLE_AS_SELECT, ..."""
        ...

    def run(self, session: Session) -> Outcome: ...
