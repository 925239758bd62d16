"""What a statement's caller needs in Glue for what the statement does to a table, asked when Trino analyses it."""

from collections.abc import Sequence

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Structure
from localaws.services.athena.execution.trino.configuration import UNLOAD, unload_table
from localaws.services.athena.execution.trino.delegation import Delegation, Delegations

_CATALOG = f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog"
_INFORMATION = "information_schema"


class Denied(Exception):
    """The caller lacks a permission; the message says which."""


class Decisions:
    """Answers the access control of Trino (java/CallerAccess.java), whose operations these are."""

    def __init__(self, cloud: Cloud, delegations: Delegations) -> None:
        self._cloud = cloud
        self._delegations = delegations

    def decide(self, request: str) -> str:
        """The lines of a request that are allowed. Raises Denied."""
        operation, user, _catalog, *names = request.split("\n")
        delegation = self._delegations.find(user)
        if delegation is None:
            raise Denied(f"No running statement is {user}")
        tables = [(schema, _base(table)) for schema, _, table in (name.partition("\t") for name in names)]
        try:
            allowed = self._allowed(operation, delegation, tables)
        except AwsError as error:
            if error.code == "EntityNotFoundException":
                return "\n".join(names)  # Trino says it in Athena's words
            delegation.refusal = delegation.refusal or error
            raise Denied(error.message) from error
        return "\n".join(name for name, is_allowed in zip(names, allowed, strict=True) if is_allowed)

    def _allowed(self, operation: str, delegation: Delegation, tables: Sequence[tuple[str, str]]) -> list[bool]:
        if operation in ("SCHEMAS", "TABLES"):
            return self._listed(operation, delegation.caller, tables)
        for table in tables:
            if table[0] != _INFORMATION:
                self._check(operation, delegation, table)
        return [True] * len(tables)

    def _check(self, operation: str, delegation: Delegation, table: tuple[str, str]) -> None:
        """Raises AwsError AccessDenied."""
        if operation in ("WRITE", "CREATE"):
            delegation.writes.add(table)
        if table[0] == UNLOAD:
            if table[1] != unload_table(delegation.user):
                raise AwsError("AccessDeniedException", f"Table {table[1]} is that of another statement.")
            return
        if operation == "CREATE":
            self._cloud.call("glue", "GetDatabase", {"Name": table[0]}, delegation.caller)
            return
        described = self._table(delegation.caller, table)
        if operation == "SELECT" and _has_listed_partitions(described):
            for resource in _resources(table):
                self._cloud.authorize(delegation.caller, "glue:GetPartitions", resource)

    def _table(self, caller: Caller, table: tuple[str, str]) -> Structure:
        params = {"DatabaseName": table[0], "Name": table[1]}
        described: Structure = self._cloud.call("glue", "GetTable", params, caller)["Table"]
        return described

    def _listed(self, operation: str, caller: Caller, tables: Sequence[tuple[str, str]]) -> list[bool]:
        """What a listing shows: the databases whose tables the caller may list; a single table that it may read."""
        databases = {schema for schema, _ in tables} - {_INFORMATION, UNLOAD}
        if operation == "SCHEMAS":
            visible = databases if self._may(caller, "glue:GetDatabases", [_CATALOG, _arn("database", "*")]) else set()
        elif len(tables) == 1 and tables[0][0] != _INFORMATION:
            return [self._may(caller, "glue:GetTable", _resources(tables[0]))]
        else:
            visible = {
                name
                for name in databases
                if self._may(caller, "glue:GetTables", [_CATALOG, _arn("database", name), _arn("table", f"{name}/*")])
            }
        return [schema == _INFORMATION or schema in visible for schema, _ in tables]

    def _may(self, caller: Caller, action: str, resources: Sequence[str]) -> bool:
        try:
            for resource in resources:
                self._cloud.authorize(caller, action, resource)
        except AwsError:
            return False
        return True


def _base(table: str) -> str:
    """The table behind a metadata table such as `posts$partitions`."""
    return table.partition("$")[0]


def _has_listed_partitions(table: Structure) -> bool:
    projected = str((table.get("Parameters") or {}).get("projection.enabled")).lower() == "true"
    return bool(table.get("PartitionKeys")) and not projected


def _resources(table: tuple[str, str]) -> list[str]:
    return [_CATALOG, _arn("database", table[0]), _arn("table", "/".join(table))]


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:glue:{REGION}:{ACCOUNT}:{kind}/{name}"
