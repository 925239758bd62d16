"""Records appended to an Iceberg table of the Glue catalog, through the local Glue and S3 and the role's permissions.

Source of the rules: "Deliver data to Apache Iceberg Tables with Amazon Data Firehose".
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from localaws.core.cloud import REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Document, Json, Structure
from localaws.services.firehose.columnar.conversion import Converted, error_lines

if TYPE_CHECKING:
    from pyiceberg.catalog.glue import GlueCatalog

ERROR_TYPE = "iceberg-failed"
_REJECTED = ("SchemaEvolutionConfiguration", "TableCreationConfiguration")


def checked(configuration: Structure) -> Document:
    """The table that an Iceberg destination names. Raises AwsError InvalidArgumentException."""
    tables = configuration.get("DestinationTableConfigurationList") or []
    if len(tables) != 1:
        raise _invalid(
            "Locally an Iceberg destination delivers to one table: name it in one DestinationTableConfiguration."
        )
    (table,) = tables
    for name in _REJECTED:
        if (configuration.get(name) or {}).get("Enabled"):
            raise _invalid(f"{name} is not supported locally: create the table, with its columns, before the stream.")
    if table.get("UniqueKeys"):
        raise _invalid("UniqueKeys are not supported locally: records are inserted, not updated or deleted.")
    if find_spec("pyiceberg") is None:
        raise _invalid("The package pyiceberg is not installed: run `pip install 'localaws[iceberg]'`.")
    return {"database": table["DestinationDatabaseName"], "table": table["DestinationTableName"]}


class IcebergTable:
    """The table of a delivery stream."""

    def __init__(self, cloud: Cloud, named: Structure, assume: Callable[[], Caller]) -> None:
        self._cloud = cloud
        self._named = named
        self._assume = assume
        self._signed: tuple[Caller, GlueCatalog] | None = None

    def append(self, spooled: Path) -> Converted:
        """Append a framed object's records as one snapshot. Raises AwsError for a table that does not take them."""
        from localaws.services.firehose.columnar.rows import JsonReader, read_rows, types_of

        caller = self._assume()
        names = {"DatabaseName": self._named["database"], "Name": self._named["table"]}
        columns = self._cloud.call("glue", "GetTable", names, caller)["Table"]["StorageDescriptor"]["Columns"]
        try:
            rows = read_rows(spooled, types_of(columns), JsonReader())
            if rows.rows:
                table = self._catalog(caller).load_table((self._named["database"], self._named["table"]))
                table.append(rows.table().cast(table.schema().as_arrow()))
        except AwsError:
            raise
        except Exception as error:  # of the catalog, of S3, or of a schema that Arrow cannot cast to
            message = f"{self._named['database']}.{self._named['table']}: {type(error).__name__}: {error}"
            raise AwsError("Iceberg.CommitFailed", message[:1000]) from error
        failed = error_lines(rows.failed, "Iceberg.MalformedData")
        return Converted(path=None, rows=len(rows.rows), failed=failed, failures=len(rows.failed))

    def _catalog(self, caller: Caller) -> "GlueCatalog":
        """The Glue catalog as the role sees it; made again when the role is assumed again."""
        from pyiceberg.catalog.glue import GlueCatalog

        if self._signed is None or self._signed[0] is not caller:
            key, secret = self._cloud.delegate(caller)
            options: Json = {
                "client.region": REGION,
                "client.access-key-id": key,
                "client.secret-access-key": secret,
                "glue.endpoint": self._cloud.endpoint,
                "s3.endpoint": self._cloud.endpoint,
            }
            self._signed = (caller, GlueCatalog("local", **options))
        return self._signed[1]


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
