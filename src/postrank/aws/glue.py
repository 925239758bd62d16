"""The Glue catalogue as pointing needs it: read a table's partitions, point some at other prefixes, forget some."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import (
        GetPartitionsRequestPaginateTypeDef,
        PartitionErrorTypeDef,
        PartitionInputTypeDef,
        StorageDescriptorOutputTypeDef,
        TableTypeDef,
    )

_CREATE_LIMIT = 100  # partitions a call (AWS Glue API, "BatchCreatePartition")
_DELETE_LIMIT = 25  # partitions a call (AWS Glue API, "BatchDeletePartition")
_T = TypeVar("_T")


class PartitionsRefused(Retryable):
    """Glue did not take some partitions."""

    def __init__(self, table: str, errors: "Sequence[PartitionErrorTypeDef]") -> None:
        super().__init__(f"Glue refused {len(errors)} partitions of {table}, the first one so: {errors[0]}")
        self.table = table
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: its key values in the table's order, its prefix (`s3://.../`), and what was noted on it."""

    values: tuple[str, ...]
    location: str
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One database of the catalogue. `client` is boto3's Glue client."""

    client: "GlueClient"
    database: str

    def partitions(self, table: str, expression: str = "") -> list[Partition]:
        """The table's partitions, of which `expression` (in Glue's filter language) holds where given."""
        arguments: GetPartitionsRequestPaginateTypeDef = {
            "DatabaseName": self.database,
            "TableName": table,
            "ExcludeColumnSchema": True,
        }
        if expression:
            arguments["Expression"] = expression
        pages = self.client.get_paginator("get_partitions").paginate(**arguments)
        return [
            Partition(
                tuple(partition["Values"]), partition["StorageDescriptor"]["Location"], partition.get("Parameters", {})
            )
            for page in pages
            for partition in page["Partitions"]
        ]

    def point(self, table: str, partitions: Iterable[Partition]) -> None:
        """Make each partition of `table` be read from its location, be it new or known. Raises PartitionsRefused."""
        storage = self._table(table)["StorageDescriptor"]
        for batch in _batches(partitions, _CREATE_LIMIT):
            inputs = {partition.values: _partition_input(partition, storage) for partition in batch}
            answer = self.client.batch_create_partition(
                DatabaseName=self.database, TableName=table, PartitionInputList=list(inputs.values())
            )
            refused = answer.get("Errors", [])
            existing = [e for e in refused if e["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"]
            if len(existing) < len(refused):
                raise PartitionsRefused(table, [error for error in refused if error not in existing])
            for error in existing:
                values = error["PartitionValues"]
                self.client.update_partition(
                    DatabaseName=self.database,
                    TableName=table,
                    PartitionValueList=values,
                    PartitionInput=inputs[tuple(values)],
                )

    def forget(self, table: str, values: Iterable[tuple[str, ...]]) -> None:
        """Take partitions out of the catalogue; their objects stay. One that is not there is no error."""
        for batch in _batches(values, _DELETE_LIMIT):
            answer = self.client.batch_delete_partition(
                DatabaseName=self.database,
                TableName=table,
                PartitionsToDelete=[{"Values": list(partition)} for partition in batch],
            )
            refused = [
                e for e in answer.get("Errors", []) if e["ErrorDetail"]["ErrorCode"] != "EntityNotFoundException"
            ]
            if refused:
                raise PartitionsRefused(table, refused)

    def has_table(self, table: str) -> bool:
        """Whether a table or view of that name exists."""
        try:
            self._table(table)
        except self.client.exceptions.EntityNotFoundException:
            return False
        return True

    def drop(self, table: str) -> None:
        """Take a table out of the catalogue; its objects stay. One that is not there is no error."""
        try:
            self.client.delete_table(DatabaseName=self.database, Name=table)
        except self.client.exceptions.EntityNotFoundException:
            return

    def tables(self, prefix: str, before: datetime) -> list[str]:
        """The tables whose names begin so and that were made before a time."""
        pages = self.client.get_paginator("get_tables").paginate(DatabaseName=self.database, Expression=f"{prefix}*")
        tables = [table for page in pages for table in page["TableList"] if table["Name"].startswith(prefix)]
        return [table["Name"] for table in tables if table["CreateTime"] < before]

    def location(self, table: str) -> str:
        """The prefix of a table (`s3://.../`)."""
        location: str = self._table(table)["StorageDescriptor"]["Location"]
        return location if location.endswith("/") else f"{location}/"

    def _table(self, table: str) -> "TableTypeDef":
        return self.client.get_table(DatabaseName=self.database, Name=table)["Table"]


def _partition_input(partition: Partition, storage: "StorageDescriptorOutputTypeDef") -> "PartitionInputTypeDef":
    return {
        "Values": list(partition.values),
        "StorageDescriptor": {**storage, "Location": partition.location},
        "Parameters": dict(partition.notes),
    }


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
