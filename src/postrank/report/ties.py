"""Ties: authors that are equal in what a ranking is ordered by, which the contract ranks by network and author id."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import JsonObject


def tied_ranks(rows: pa.Table, order: str) -> dict[int, int]:
    """For each rank of a window (rows best first), the first rank with the same value of the column `order`.

    A ranking by something that is not exported has no ties that could be recognized.
    """
    ranks: list[int] = rows["rank"].to_pylist()
    values = rows[order].to_pylist() if order in rows.column_names else ranks
    first: dict[object, int] = {}
    return {rank: first.setdefault(value, rank) for rank, value in zip(ranks, values, strict=True)}


def rank_text(row: JsonObject, ties: dict[int, int]) -> str:
    """A rank as shown: `=3` where it is shared."""
    shared = list(ties.values()).count(ties[row["rank"]]) > 1
    return f"={ties[row['rank']]:,}" if shared else f"{row['rank']:,}"


def shared_ranks(ranking: pa.Table, order: str) -> dict[tuple[datetime, object], int]:
    """The first rank of those that are shared, by window and value of the column `order`, over all windows."""
    if order not in ranking.column_names:
        return {}
    groups = ranking.group_by(["window_start", order]).aggregate([("rank", "min"), ("rank", "count")])
    shared = groups.filter(pc.greater(groups["rank_count"], 1))
    return {(row["window_start"], row[order]): row["rank_min"] for row in shared.to_pylist()}
