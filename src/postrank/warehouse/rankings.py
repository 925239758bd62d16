"""Loading an exported ranking: each of its windows replaces an older revision of that window, with all its rows.

The windows are those of `windows.json`, so that one in which nobody is left is emptied. Exports that are older than
that file name only the windows that have rows.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pyarrow import parquet

from postrank.documents import Document, JsonObject
from postrank.ranking.export_forms import COLUMNS
from postrank.warehouse.objects import LoadedObject, Objects

if TYPE_CHECKING:
    from psycopg import Cursor
    from psycopg.rows import TupleRow

_BATCH_ROWS = 10_000
_STEPS = (
    "ranked_windows_skipped",
    "rankings_removed",
    "rankings_inserted",
    "ranked_windows_stored",
    "hourly_totals_stored",
    "authors_stored",
    "authors_removed",
)


def load_ranking(
    cursor: "Cursor[TupleRow]", objects: Objects, manifest: LoadedObject, statement: Callable[[str], str]
) -> int:
    """Load the export that a manifest describes, in the transaction of `cursor`; returns how many rows were stored."""
    document = manifest.document
    scope, metric = scope_and_metric(document)
    about = {
        "network_scope": scope,
        "ranked_metric": metric,
        "exported_at": document["exported_at"],
        "object_key": manifest.key,
    }
    cursor.execute(statement("staged_ranking"))
    with TemporaryDirectory(prefix="postrank-warehouse-") as folder:
        path = Path(folder) / "file"
        for file in document["files"]:
            if file["format"] == "parquet" and file["rows"]:
                objects.download(file["key"], file["sha256"], path)
                _copy(cursor, "staged_rankings", COLUMNS, _rows(path))
        if windows := document.get("windows"):
            objects.download(windows["key"], windows["sha256"], path)
            columns = ("granularity", "window_start", "window_end", "posts", "revision")
            _copy(cursor, "staged_windows", columns, _windows(path, columns))
        else:
            cursor.execute(statement("staged_windows_of_rows"))
    stored = 0
    for step in _STEPS:
        cursor.execute(statement(step), about)
        stored += cursor.rowcount if step == "rankings_inserted" else 0
    cursor.execute(statement("ranking_runs_stored"), _account(document, about))
    return stored


def scope_and_metric(manifest: JsonObject) -> tuple[str, str]:
    """What a ranking is over, and what it ranks by: the order of a ranking of posts, else its metric.

    The scope of a manifest names both; earlier manifests have no metric.
    """
    order = str(manifest["order"])
    metric = str(manifest.get("metric") or "posts")
    scope = str(manifest["scope"]).removesuffix(f" by {order}")
    if metric == "posts":
        return scope, order
    return scope.replace(f" of {metric}", "", 1), metric if order == "posts" else f"{metric} by {order}"


def _account(manifest: Document, about: JsonObject) -> JsonObject:
    """What a manifest counts, as a row of ranking_runs. Earlier manifests lack some of it."""
    lines = [manifest[name] for name in ("post_lines", "edit_lines") if name in manifest]
    numbers = {name: manifest.get(name) for name in ("duplicates", "tombstones", "rejects", "posts", "scanned_bytes")}
    interval = manifest["interval"]
    return {
        **about,
        **numbers,
        "run": manifest["run"],
        "lines": sum(lines) if lines else None,
        "interval_start": interval["start"],
        "interval_end": interval["end"],
    }


def _copy(cursor: "Cursor[TupleRow]", table: str, columns: Iterable[str], rows: Iterator[tuple[object, ...]]) -> None:
    with cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _rows(path: Path) -> Iterator[tuple[object, ...]]:
    """The rows of a Parquet file, in the order of COLUMNS."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(COLUMNS)):
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                yield tuple(storable(value) for value in row)


def _windows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    windows: list[JsonObject] = json.loads(path.read_bytes())
    for window in windows:
        yield tuple(window[name] for name in columns)


def storable(value: object) -> object:
    """A value as Postgres can hold it: no text of it has U+0000."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
