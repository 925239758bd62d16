"""A ranking as a table for a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text


def ranking_table(rows: Iterable[Mapping[str, Any]], title: str) -> Table:
    """The rows of an export (see the data contract), best first; handles and names are never taken for markup."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("author", no_wrap=True)
    table.add_column("name", overflow="ellipsis", no_wrap=True, max_width=24)
    table.add_column("network", no_wrap=True)
    for column in ("posts", "share", "peak 60 s"):
        table.add_column(column, justify="right", no_wrap=True)
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
    if previous is None or previous == rank:
        return ""
    return f"{'▲' if rank < previous else '▼'}{abs(previous - rank)}"
