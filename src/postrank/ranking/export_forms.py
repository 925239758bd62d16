"""The three forms of an exported ranking and the list of its windows, written to local files batch by batch: memory
does not grow with the rows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from postrank.spreadsheet import neutral_columns

COLUMNS = {
    "granularity": pa.string(),
    "window_start": pa.timestamp("ms"),
    "window_end": pa.timestamp("ms"),
    "rank": pa.int64(),
    "network": pa.string(),
    "author_id": pa.string(),
    "author_handle": pa.string(),
    "author_name": pa.string(),
    "posts": pa.int64(),
    "share": pa.float64(),
    "previous_rank": pa.int64(),
    "peak_60s": pa.int64(),
    "revision": pa.int64(),
}
FORMS = ("csv", "json", "parquet")
_TIMES = ("window_start", "window_end")
WINDOW_COLUMNS = ("granularity", "window_start", "window_end", "posts", "revision")
_RFC3339 = "%Y-%m-%dT%H:%M:%SZ"  # of whole seconds: windows start and end at whole minutes
_BLOCK_BYTES = 1 << 20  # of the query's result, read at a time: some 7,000 rows
_JSON_ROWS = 2_000
_GROUP_ROWS = 50_000


def batches(result: Path) -> Iterator[pa.Table]:
    """The rows of Athena's result in parts: every value quoted, null as nothing between the commas."""
    reader = csv.open_csv(
        result,
        read_options=csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=COLUMNS,
            include_columns=list(COLUMNS),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            timestamp_parsers=["%Y-%m-%d %H:%M:%S.%f", csv.ISO8601],
        ),
    )
    for batch in reader:
        yield pa.Table.from_batches([batch])


def write_forms(result: Path, folder: Path, granularities: tuple[str, ...]) -> dict[str, "Forms"]:
    """Write the rows of each granularity of Athena's result to files below `folder`; rows of rank 0 are windows."""
    forms = {granularity: Forms(folder / granularity) for granularity in granularities}
    for rows in batches(result):
        ranked = rows.filter(pc.greater(rows["rank"], 0))
        for granularity, files in forms.items():
            files.write(ranked.filter(pc.equal(ranked["granularity"], granularity)))
    for files in forms.values():
        files.close()
    return forms


def csv_bytes(rows: pa.Table) -> bytes:
    """Rows of an export as a CSV file like the exported one: times as RFC 3339, no cell that is a formula."""
    out = pa.BufferOutputStream()
    csv.write_csv(neutral_columns(_with_text_times(rows)), out, _csv_options())
    content: bytes = out.getvalue().to_pybytes()
    return content


def parquet_bytes(rows: pa.Table) -> bytes:
    """Rows of an export as a Parquet file like the exported one."""
    out = pa.BufferOutputStream()
    parquet.write_table(_in_utc(rows), out, compression="zstd")
    content: bytes = out.getvalue().to_pybytes()
    return content


def write_windows(result: Path, path: Path) -> int:
    """Write the windows of Athena's result, those without authors too, as a JSON array; returns how many."""
    array = _JsonArray(path)
    count = 0
    for rows in batches(result):
        windows = _with_text_times(rows.filter(pc.equal(rows["rank"], 0))).select(WINDOW_COLUMNS)
        array.write(windows)
        count += windows.num_rows
    array.close()
    return count


class Forms:
    """One ranking as three files, named by their forms, in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.paths = {form: folder / form for form in FORMS}
        self.rows = 0
        schema = _with_text_times(_empty()).schema
        self._csv = csv.CSVWriter(self.paths["csv"], schema, write_options=_csv_options())
        self._json = _JsonArray(self.paths["json"])
        self._parquet = _ParquetFile(self.paths["parquet"])

    def write(self, rows: pa.Table) -> None:
        """Append rows to every form."""
        if not rows.num_rows:
            return
        self.rows += rows.num_rows
        spelled = _with_text_times(rows)
        self._csv.write_table(neutral_columns(spelled))
        self._json.write(spelled)
        self._parquet.write(_in_utc(rows))

    def close(self) -> None:
        """Complete the files."""
        for file in (self._csv, self._json, self._parquet):
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _JsonArray:
    """One array with a row on every line, so that it can be read as a whole and line by line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(b"[")
        self._separator = b"\n"

    def write(self, rows: pa.Table) -> None:
        for batch in rows.to_batches(max_chunksize=_JSON_ROWS):
            for row in batch.to_pylist():
                self._file.write(self._separator + orjson.dumps(row))
                self._separator = b",\n"

    def close(self) -> None:
        self._file.write(b"\n]\n")
        self._file.close()


class _ParquetFile:
    """Rows in groups of at least _GROUP_ROWS, but for the last one: small groups are slow to read."""

    def __init__(self, path: Path) -> None:
        self._writer = parquet.ParquetWriter(path, _in_utc(_empty()).schema, compression="zstd")
        self._pending: list[pa.Table] = []

    def write(self, rows: pa.Table) -> None:
        self._pending.append(rows)
        if sum(table.num_rows for table in self._pending) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        if self._pending:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_table(pa.concat_tables(self._pending).combine_chunks())
        self._pending = []


def _csv_options() -> csv.WriteOptions:
    return csv.WriteOptions(quoting_style="needed", quoting_header="none")


def _empty() -> pa.Table:
    return pa.schema(COLUMNS.items()).empty_table()


def _with_text_times(rows: pa.Table) -> pa.Table:
    for name in _TIMES:
        texts = pc.strftime(pc.cast(rows[name], pa.timestamp("s")), format=_RFC3339)
        rows = rows.set_column(rows.schema.get_field_index(name), name, texts)
    return rows


def _in_utc(rows: pa.Table) -> pa.Table:
    schema = rows.schema
    for name in _TIMES:
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.timestamp("ms", tz="UTC")))
    return rows.cast(schema)
