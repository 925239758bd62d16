"""ORC, its columns found by name; a file that lacks one gives nulls."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from localaws.core.cloud import ObjectInfo
from localaws.services.athena.scan.formats import Files, converted
from localaws.services.athena.sql.failures import QueryFailed

if TYPE_CHECKING:
    import pyarrow as pa

SERDES = ("org.apache.hadoop.hive.ql.io.orc.OrcSerde",)


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index."""
    return converted.of_tables(files, _tables)


def _tables(item: ObjectInfo, schema: "pa.Schema") -> Iterator["pa.Table"]:
    import pyarrow as pa
    from pyarrow import orc

    try:
        source = orc.ORCFile(item.path)
        places = {name.lower(): name for name in source.schema.names}
        for stripe in range(source.nstripes):
            batch = source.read_stripe(stripe, columns=[places[name] for name in schema.names if name in places])
            present = {name.lower(): batch.column(name) for name in batch.schema.names}
            columns = [
                present[field.name].cast(field.type) if field.name in present else pa.nulls(len(batch), field.type)
                for field in schema
            ]
            yield pa.Table.from_arrays(columns, schema=schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise QueryFailed("HIVE_BAD_DATA", f"{item.key} cannot be read as the table's columns: {error}") from error
