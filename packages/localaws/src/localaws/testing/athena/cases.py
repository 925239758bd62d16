"""The statements of the suite, as data: text, and the rows that Athena answers."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Row = list[str | None]
_FOLDER = Path(__file__).parent / "statements"


@dataclass(frozen=True)
class Case:
    """`oracle_skips` says why the real engine's answer is not compared."""

    name: str
    sql: str
    rows: list[Row]
    columns: list[str] | None = None
    oracle_skips: str | None = None


def cases() -> Iterator[Case]:
    """All statements, by file and place."""
    for path in sorted(_FOLDER.glob("*.toml")):
        for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items():
            rows = [[None if cell == "<null>" else cell for cell in row] for row in fields.pop("rows")]
            yield Case(name=name, rows=rows, **fields)
