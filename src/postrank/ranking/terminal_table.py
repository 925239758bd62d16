"""A ranking as a table for a terminal."""

from collections.abc import Iterable
from unicodedata import category

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from postrank.documents import JsonObject

# The characters that reorder what follows them ("Unicode Standard Annex #9", explicit embeddings and isolates).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def ranking_table(rows: Iterable[JsonObject], title: str) -> Table:
    """The rows of an export (see the data contract), best first; handles and names are never taken for markup."""
    listed = list(rows)
    moved = any(row["previous_rank"] is not None for row in listed)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("rank", justify="right", min_width=4)
    if moved:
        table.add_column("moved", justify="right", min_width=5)
    for column, width in (("author", 24), ("network", 16)):
        table.add_column(column, overflow="ellipsis", no_wrap=True, max_width=width)
    for column, width in (("posts", 5), ("share", 6), ("peak 60 s", 4)):
        table.add_column(column, justify="right", min_width=width)
    for row in listed:
        table.add_row(
            str(row["rank"]),
            *([_moved(row["rank"], row["previous_rank"])] if moved else []),
            _plain(row["author_handle"] or row["author_id"]),
            _plain(row["network"]),
            f"{row['posts']:,}",
            f"{row['share']:.2%}",
            str(row["peak_60s"]),
        )
    return table


def _plain(text: str) -> Text:
    """Text that is no markup and cannot move the cursor or turn the line around: names come from strangers."""
    return Text(
        "".join(" " if category(character) == "Cc" or character in _TURNING else character for character in text)
    )


def _moved(rank: int, previous: int | None) -> str:
    if previous is None or previous == rank:
        return ""
    return f"{'▲' if rank < previous else '▼'}{abs(previous - rank)}"
