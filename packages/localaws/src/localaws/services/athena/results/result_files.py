"""Result files: written as Athena writes them, and read page by page for GetQueryResults.

A query's rows are CSV in which every value is quoted and a null is nothing; other statements answer in plain text. The
`.metadata` file beside it holds the columns; its form is ours, as Athena's own is not documented.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

from localaws.core.shapes import Document
from localaws.services.athena.results.formatting import formatter
from localaws.services.athena.results.outcome import Column, Outcome

_QUOTE = b'"'


def write(outcome: Outcome, target: Path, *, text: bool) -> None:
    """Write the rows of an outcome, and consume them."""
    with target.open("wb", buffering=1 << 20) as file:
        if text:
            for row in outcome.rows:
                file.write("\t".join(row).encode() + b"\n")
            return
        file.write(_line([column.name for column in outcome.columns]))
        spells = [formatter(kind) for kind in outcome.types] or [str] * len(outcome.columns)
        for row in outcome.rows:
            file.write(
                _line([None if value is None else spell(value) for spell, value in zip(spells, row, strict=True)])
            )


def _line(values: Sequence[str | None]) -> bytes:
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values).encode() + b"\n"


def metadata(columns: Sequence[Column], update_count: int | None) -> bytes:
    return json.dumps({"columns": [asdict(column) for column in columns], "updateCount": update_count}).encode()


def column_info(columns: Sequence[Document]) -> list[Document]:
    """ColumnInfo of GetQueryResults for the columns of a metadata file."""
    return [
        {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": column["name"],
            "Label": column["name"],
            "Type": column["type"],
            "Precision": column["precision"],
            "Scale": column["scale"],
            "Nullable": "UNKNOWN",
            "CaseSensitive": column["type"] in ("varchar", "char"),
        }
        for column in columns
    ]


def page(path: Path, *, text: bool, width: int, offset: int, limit: int) -> tuple[list[list[str | None]], int | None]:
    """Rows from a byte offset on, and the offset of the row after them, if there is one."""
    rows: list[list[str | None]] = []
    with path.open("rb") as file:
        file.seek(offset)
        for row in _text(file, width) if text else _csv(file):
            rows.append(row)
            if len(rows) == limit:
                break
        after = file.tell()
        return rows, after if file.read(1) else None


def _text(file: IO[bytes], width: int) -> Iterator[list[str | None]]:
    while line := file.readline():
        value = line.rstrip(b"\n").decode()
        parts = value.split("\t", width - 1) if width > 1 else [value]
        yield [*parts, *([None] * (width - len(parts)))]


def _csv(file: IO[bytes]) -> Iterator[list[str | None]]:
    while line := file.readline():
        while line.count(_QUOTE) % 2:  # a line break within a value
            more = file.readline()
            if not more:
                break
            line += more
        yield _split(line.rstrip(b"\n").decode())


def _split(line: str) -> list[str | None]:
    values: list[str | None] = []
    at = 0
    while True:
        if line[at : at + 1] == '"':
            end = at + 1
            while True:
                end = line.index('"', end)
                if line[end + 1 : end + 2] != '"':
                    break
                end += 2
            values.append(line[at + 1 : end].replace('""', '"'))
            at = end + 1
        else:
            values.append(None)
        if line[at : at + 1] != ",":
            return values
        at += 1
