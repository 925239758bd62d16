"""A ranking as a table for a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text


def ranking_table(rows: Iterable[Mapping[str, Any]], title: str) -> Table:
    """The rows of an export (see the data contract), best first; handles and names are never taken for markup."""
    table = Table(title=title, title_justify="left")
    for column in ("rank", "moved"):
        table.add_column(column, justify="right")
    for column in ("author", "name", "network"):
        table.add_column(column, overflow="fold")
    for column in ("posts", "share", "peak 60 s"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            str(row["rank"]),
            _moved(row["rank"], row["previous_rank"]),
            Text(row["author_handle"] or row["author_id"]),
            Text(row["author_name"] or ""),
            row["network"],
            f"{row['posts']:,}",
            f"{row['share']:.2%}",
            str(row["peak_60s"]),
        )
    return table


def _moved(rank: int, previous: int | None) -> str:
    if previous is None:
        return "new"
    return "" if rank == previous else f"{'▲' if rank < previous else '▼'}{abs(previous - rank)}"
