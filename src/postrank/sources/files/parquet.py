"""Rows of Parquet as posts, a row group at a time."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from postrank.extras import require
from postrank.posts import Malformed
from postrank.posts.formats import mapping as mappings
from postrank.posts.formats.mapping import RowReader, value_at
from postrank.posts.repairs import Repairs
from postrank.sources.files.detection import Shape
from postrank.sources.files.line_batches import LineBatch

MAGIC = b"PAR1"
_BATCH = 4096  # rows


def _pyarrow() -> Any:
    """The package that reads Parquet. Raises MissingExtra."""
    require("pyarrow")
    import pyarrow
    import pyarrow.parquet

    return pyarrow


def shape_of_parquet(file: BinaryIO, mapping: Mapping[str, str]) -> Shape:
    """The shape of a Parquet file. Raises MissingExtra."""
    pyarrow = _pyarrow()
    try:
        schema = pyarrow.parquet.ParquetFile(file).schema_arrow
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        why = f"a Parquet file whose directory cannot be read, nor its rows: fetch it again ({_first_line(error)})"
        return Shape("refused", "Parquet", why)
    names = _names(pyarrow, schema)
    if mapping:
        try:
            columns = mappings.mapped(names, mapping)
        except mappings.WrongMapping as error:
            return Shape("refused", "Parquet", str(error))
        return Shape("rows", f"{columns.form}, Parquet", columns=columns, names=tuple(names))
    if known_columns := mappings.recognised(names):
        return Shape("rows", f"{known_columns.form}, Parquet", columns=known_columns, names=tuple(names))
    return Shape("refused", "Parquet", f"a Parquet file: {mappings.without_columns(names)}")


def _names(pyarrow: Any, schema: Any) -> list[str]:
    names: list[str] = []
    for column in schema:
        if pyarrow.types.is_struct(column.type):
            names += [f"{column.name}.{name}" for name in _names(pyarrow, column.type)]
        else:
            names.append(column.name)
    return names


def read_parquet(file: BinaryIO, lines: LineBatch, shape: Shape, identity: str, after: int) -> Iterator[int]:
    """Add the rows behind number `after` to `lines`; yields the number of rows after every few."""
    pyarrow = _pyarrow()
    posts = RowReader(shape.table, identity)
    tops = {path: _top(path, shape) for path in posts.columns}
    table = pyarrow.parquet.ParquetFile(file)
    repairs = Repairs()
    number = 0
    for group in range(table.num_row_groups):
        rows = table.metadata.row_group(group).num_rows
        end = number + rows
        if end <= after:
            number = end
            continue
        try:
            for batch in table.iter_batches(_BATCH, row_groups=[group], columns=sorted(set(tops.values()))):
                columns = [_values(pyarrow, batch, path, top) for path, top in tops.items()]
                for values in zip(*columns, strict=True):
                    number += 1
                    if number > after:
                        _add(posts, values, lines, number, repairs)
                if number > after:
                    yield number
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            lost = end - number
            reason = f"rows {number + 1:,} to {end:,} of the Parquet file are damaged: {_first_line(error)}"
            lines.reject(reason, b"", number, posts=lost)
            number = end
            yield number


def _top(path: str, shape: Shape) -> str:
    """The column of the file that a path begins with."""
    return path if "." not in path or (path in shape.names and "." not in path) else path.partition(".")[0]


def _values(pyarrow: Any, batch: Any, path: str, top: str) -> list[Any]:
    column = batch.column(batch.schema.get_field_index(top))
    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    if path == top:
        return values
    inner = path.partition(".")[2]
    return [value_at(value, inner) if type(value) is dict else None for value in values]


def _add(posts: RowReader, values: Any, lines: LineBatch, number: int, repairs: Repairs) -> None:
    before = repairs.count
    try:
        post = posts.post(values, number, repairs)
    except Malformed as malformed:
        lines.reject(str(malformed), repr(values)[:4096].encode(errors="replace"), number)
        return
    post.source_cursor = f"{lines.where}:{number}"
    lines.events.append(post)
    lines.read += 1
    lines.repaired += repairs.count > before


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
