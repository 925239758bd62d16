"""The Glue catalogue as a query sees it: databases, tables, partitions, through Glue's public API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document, Structure
from localaws.services.athena.sql.failures import QueryFailed

_BATCH = 100  # BatchCreatePartition's limit


@dataclass(frozen=True)
class Table:
    """A table or view. `raw` is what GetTable gave."""

    database: str
    name: str
    raw: Structure

    @cached_property
    def storage(self) -> Structure:
        return self.raw.get("StorageDescriptor") or {}

    @cached_property
    def columns(self) -> dict[str, str]:
        """Data columns, lower case, with their Hive types."""
        return {column["Name"].lower(): column.get("Type") or "string" for column in self.storage.get("Columns") or []}

    @cached_property
    def keys(self) -> dict[str, str]:
        """Partition keys with their Hive types."""
        return {key["Name"].lower(): key.get("Type") or "string" for key in self.raw.get("PartitionKeys") or []}

    @cached_property
    def comments(self) -> dict[str, str]:
        """Comments of the columns and partition keys that have one."""
        columns = [*(self.storage.get("Columns") or []), *(self.raw.get("PartitionKeys") or [])]
        return {column["Name"].lower(): column["Comment"] for column in columns if column.get("Comment")}

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.raw.get("Parameters") or {}

    @property
    def is_view(self) -> bool:
        return self.raw.get("TableType") == "VIRTUAL_VIEW"

    @property
    def location(self) -> str:
        return str(self.storage.get("Location") or "")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: the text of each key's value, and the storage that it has of its own."""

    values: tuple[str, ...]
    storage: Structure

    @property
    def location(self) -> str:
        return str(self.storage.get("Location") or "")


class Catalogue:
    """Glue, as one caller may use it."""

    def __init__(self, cloud: Cloud, caller: Caller) -> None:
        self._cloud = cloud
        self._caller = caller

    def call(self, action: str, **params: Any) -> Document:
        """Make a Glue call. Raises QueryFailed for what Glue refuses."""
        try:
            return self._cloud.call("glue", action, params, self._caller)
        except AwsError as error:
            raise QueryFailed(
                "PERMISSION_DENIED" if "AccessDenied" in error.code else "HIVE_METASTORE_ERROR",
                f"{error.message} (Service: AWSGlue; Error Code: {error.code})",
            ) from error

    def table(self, database: str, name: str) -> Table | None:
        """The table, or None where there is none."""
        try:
            response = self._cloud.call(
                "glue", "GetTable", {"DatabaseName": database, "Name": name.lower()}, self._caller
            )
        except AwsError as error:
            if error.code == "EntityNotFoundException":
                return None
            raise QueryFailed("PERMISSION_DENIED", f"{error.message} (Error Code: {error.code})") from error
        return Table(database, name.lower(), response["Table"])

    def has_database(self, database: str) -> bool:
        try:
            self._cloud.call("glue", "GetDatabase", {"Name": database}, self._caller)
        except AwsError as error:
            if error.code == "EntityNotFoundException":
                return False
            raise QueryFailed("PERMISSION_DENIED", f"{error.message} (Error Code: {error.code})") from error
        return True

    def pages(self, action: str, field: str, **params: Any) -> Iterator[Document]:
        """All items of a paged call."""
        token: str | None = None
        while True:
            page = self.call(action, **params, **({"NextToken": token} if token else {}))
            yield from page.get(field) or []
            token = page.get("NextToken")
            if not token:
                return

    def partitions(self, table: Table, expression: str = "") -> list[Partition]:
        """The table's partitions, without columns of their own; those for which `expression` holds where given."""
        request = {"DatabaseName": table.database, "TableName": table.name, "ExcludeColumnSchema": True}
        if expression:
            request["Expression"] = expression
        items = self.pages("GetPartitions", "Partitions", **request)
        return [Partition(tuple(item["Values"]), item.get("StorageDescriptor") or {}) for item in items]

    def add_partitions(self, table: Table, locations: Mapping[tuple[str, ...], str]) -> list[tuple[str, ...]]:
        """Register partitions that lie at `locations`; returns the values that were there already."""
        inputs = [
            {"Values": list(values), "StorageDescriptor": {**table.storage, "Location": location}}
            for values, location in locations.items()
        ]
        existing: list[tuple[str, ...]] = []
        for start in range(0, len(inputs), _BATCH):
            answer = self.call(
                "BatchCreatePartition",
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInputList=inputs[start : start + _BATCH],
            )
            for error in answer.get("Errors") or []:
                detail = error.get("ErrorDetail") or {}
                if detail.get("ErrorCode") != "AlreadyExistsException":
                    raise QueryFailed("HIVE_METASTORE_ERROR", str(detail.get("ErrorMessage")))
                existing.append(tuple(error["PartitionValues"]))
        return existing
