"""Glue as Trino's connectors see it: the local Glue, with writes in the name of the statement that makes them.

Connectors read the catalogue before they ask whether the caller may (decisions.py), so that reads are not the caller's;
writes are: a statement announces the tables that it writes, and each write is made as its caller.
"""

import base64
import binascii
import json
from datetime import datetime

from localaws.core.cloud import AwsError, Cloud
from localaws.core.shapes import Document
from localaws.services.athena.execution.trino.configuration import UNLOAD
from localaws.services.athena.execution.trino.delegation import Delegations
from localaws.services.athena.execution.trino.iceberg_columns import with_fields

_READS = frozenset({"GetDatabase", "GetDatabases", "GetTable", "GetTables", "GetPartition", "GetPartitions",
                    "BatchGetPartition", "GetTableVersions"})  # fmt: skip
_WRITES = frozenset({"CreateTable", "UpdateTable", "DeleteTable", "CreatePartition", "BatchCreatePartition",
                     "UpdatePartition", "BatchUpdatePartition", "DeletePartition", "BatchDeletePartition"})  # fmt: skip
_FUNCTIONS: dict[str, dict[str, list[str]]] = {"GetUserDefinedFunctions": {"UserDefinedFunctions": []}}
_STATISTICS = "ColumnStatistics"
_VIEW = "/* Presto View: "
_VIEW_END = " */"


class Metastore:
    """Answers Trino's Glue clients."""

    def __init__(self, cloud: Cloud, delegations: Delegations) -> None:
        self._cloud = cloud
        self._delegations = delegations
        self._unloads = UnloadTables()

    def answer(self, action: str, body: bytes) -> Document:
        """The result of a call, as JSON can hold it. Raises AwsError."""
        params: Document = json.loads(body or b"{}")
        if UNLOAD in (params.get("DatabaseName"), params.get("Name")) and _STATISTICS not in action:
            return self._unloads.answer(action, params)
        result = _plain(self._result(action, params))
        if action in ("GetTable", "GetTables"):
            for table in [result["Table"]] if "Table" in result else result.get("TableList", []):
                _run_as_invoker(table)
        return dict(result)

    def _result(self, action: str, params: Document) -> Document:
        if action in _READS:
            return dict(self._cloud.emulated("glue", action, params))
        if action in _WRITES:
            return self._written(action, params)
        if action in _FUNCTIONS:
            return dict(_FUNCTIONS[action])
        if _STATISTICS in action:
            return _no_statistics(action)
        if action == "GetUserDefinedFunction":
            raise AwsError("EntityNotFoundException", f"Function {params.get('FunctionName')} does not exist.")
        raise AwsError("AccessDeniedException", f"Statements do not call glue:{action}.")

    def _written(self, action: str, params: Document) -> Document:
        name = params.get("TableName") or params.get("Name") or (params.get("TableInput") or {}).get("Name")
        table = (str(params.get("DatabaseName")), str(name))
        writers = {delegation.caller: delegation for delegation in self._delegations.writers(table)}
        if not writers:
            raise AwsError("AccessDeniedException", f"No running statement writes to {'.'.join(table)}.")
        if len(writers) > 1:
            # Which of them makes this call cannot be known, and none may use the permissions of another.
            raise AwsError(
                "ConcurrentModificationException", f"Statements of several principals write to {'.'.join(table)}."
            )
        if "TableInput" in params:
            params = {**params, "TableInput": with_fields(self._cloud, params["TableInput"])}
        try:
            return dict(self._cloud.call("glue", action, params, next(iter(writers))))
        except AwsError as error:
            if "AccessDenied" in error.code:
                for delegation in writers.values():
                    delegation.refusal = delegation.refusal or error
            raise


class UnloadTables:
    """The tables through which UNLOAD writes: in no catalogue, gone with their statement."""

    def __init__(self) -> None:
        self._tables: dict[str, Document] = {}

    def answer(self, action: str, params: Document) -> Document:
        """The result of a call on their schema. Raises AwsError."""
        name = str(params.get("Name") or params.get("TableName") or "")
        if action == "GetDatabase":
            return {"Database": {"Name": UNLOAD}}
        if action == "CreateTable":
            table = dict(params["TableInput"])
            self._tables[str(table["Name"])] = {**table, "DatabaseName": UNLOAD}
        elif action == "DeleteTable":
            self._tables.pop(name, None)
        elif action == "GetTables":
            return {"TableList": []}
        elif action == "GetTable":
            if name not in self._tables:
                raise AwsError("EntityNotFoundException", f"Entity Not Found: {name}")
            return {"Table": self._tables[name]}
        return {}


def _no_statistics(action: str) -> Document:
    """Columns have no statistics: none are written, none are there."""
    if action.startswith("Get"):
        return {"ColumnStatisticsList": [], "Errors": []}
    return {"Errors": []} if action.startswith("Update") else {}


def _run_as_invoker(table: Document) -> None:
    """Have a view read its tables as who queries it does, which is Athena's rule and not Trino's."""
    text = str(table.get("ViewOriginalText") or "")
    if not text.startswith(_VIEW):
        return
    try:
        view = json.loads(base64.b64decode(text.removeprefix(_VIEW).removesuffix(_VIEW_END)))
    except (binascii.Error, ValueError):
        return
    view = {name: value for name, value in view.items() if name != "owner"} | {"runAsInvoker": True}
    table["ViewOriginalText"] = _VIEW + base64.b64encode(json.dumps(view).encode()).decode() + _VIEW_END


def _plain(value: object) -> Document:
    """Times as the seconds that Glue's protocol writes."""
    plain: Document = json.loads(json.dumps(value, default=_seconds))
    return plain


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} in a response of Glue")
