"""Collected records as one table, CSV or Parquet, in the columns of the data contract, part by part.

A column of the contract that is a list becomes a list in Parquet, and in CSV its elements with blanks between them, as
hashtags, handles and URLs hold none. CSV cells that a spreadsheet would take for formulas are neutralised
(`postrank.spreadsheet`).
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json
from pyarrow import parquet

from postrank.aws.tables import columns
from postrank.spreadsheet import neutral_columns

_TYPES = {
    "string": pa.string(),
    "array<string>": pa.list_(pa.string()),
    "boolean": pa.bool_(),
    "bigint": pa.int64(),
}
SCHEMA = pa.schema([(name, _TYPES[hive]) for name, hive in columns("raw_posts")])
_BLOCK_BYTES = 8 << 20  # of records that are decoded at a time; no record is larger than 1 MiB


def write_table(members: Iterable[Path], target: Path, *, csv: bool) -> None:
    """Write the records of gzip files of JSON lines to one file."""
    writer = (
        arrow_csv.CSVWriter(target, _flat(SCHEMA.empty_table()).schema)
        if csv
        else parquet.ParquetWriter(target, SCHEMA, compression="zstd")
    )
    with writer:
        for member in members:
            for rows in _tables(member):
                writer.write_table(neutral_columns(_flat(rows)) if csv else rows)


def _tables(member: Path) -> Iterable[pa.Table]:
    reader = arrow_json.open_json(
        member,
        read_options=arrow_json.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=arrow_json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore"),
    )
    for batch in reader:
        yield pa.Table.from_batches([batch])


def _flat(rows: pa.Table) -> pa.Table:
    for index, column in enumerate(rows.schema):
        if pa.types.is_list(column.type):
            rows = rows.set_column(index, column.name, pc.binary_join(rows[column.name], " "))
    return rows
