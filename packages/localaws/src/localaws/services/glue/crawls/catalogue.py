"""The catalogue, as a crawler's role may use it."""

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document

_BATCH = 100  # "BatchCreatePartition": at most 100 partitions


class Catalogue:
    """Glue's public API as the crawler's role calls it."""

    def __init__(self, cloud: Cloud, role: Caller) -> None:
        self._cloud = cloud
        self._role = role

    def call(self, action: str, **params: Any) -> Document:
        """Raises AwsError as Glue answers."""
        return self._cloud.call("glue", action, params, self._role)

    def table(self, database: str, name: str) -> Document | None:
        """The table, or None where there is none."""
        try:
            table: Document = self.call("GetTable", DatabaseName=database, Name=name)["Table"]
        except AwsError as error:
            if error.code == "EntityNotFoundException":
                return None
            raise
        return table

    def tables(self, database: str) -> Iterator[Document]:
        yield from self._pages("GetTables", "TableList", DatabaseName=database)

    def partitions(self, database: str, table: str, *, columns: bool = False) -> Iterator[Document]:
        """The table's partitions, their columns left out unless asked for: there may be a year of hours."""
        request = {"DatabaseName": database, "TableName": table, "ExcludeColumnSchema": not columns}
        yield from self._pages("GetPartitions", "Partitions", **request)

    def add_partitions(self, database: str, table: str, partitions: list[Document]) -> None:
        """Create partitions. Raises AwsError for the first that cannot be; one that exists meanwhile is fine."""
        for start in range(0, len(partitions), _BATCH):
            batch = partitions[start : start + _BATCH]
            answer = self.call("BatchCreatePartition", DatabaseName=database, TableName=table, PartitionInputList=batch)
            for error in answer.get("Errors") or []:
                detail: Mapping[str, str] = error["ErrorDetail"]
                if detail["ErrorCode"] != "AlreadyExistsException":
                    raise AwsError(detail["ErrorCode"], detail["ErrorMessage"])

    def _pages(self, action: str, field: str, **params: Any) -> Iterator[Document]:
        token: dict[str, str] = {}
        while True:
            page = self.call(action, **params, **token)
            yield from page.get(field) or []
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}
