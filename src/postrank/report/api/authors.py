"""One author in one run: every window in which they are ranked, and where their posts can be read."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import Document, JsonObject
from postrank.report.api import post_links, rankings
from postrank.report.exports import Export, Exports, NotExported
from postrank.report.ties import shared_ranks
from postrank.report.windows import complete_until, windows

_NAMES = ("network", "author_id", "author_handle", "author_name")
_MOST_ALIKE = 10


def author(exports: Exports, export: Export, network: str, author_id: str) -> Document:
    """An author's windows of each granularity, oldest first; windows below the exported top are absent.
    `tied_rank` is the first of the ranks that the author shares in a window, else null.

    `same_handle` lists accounts of other networks with the same handle, who need not be the same person. Raises
    NotExported where the author is ranked in no window.
    """
    rows = {name: _rows(exports.table(export, name), network, author_id) for name in export.granularities}
    ranked = [listed for listed in rows.values() if listed]
    if not ranked:
        top = export.manifest.get("top")
        raise NotExported(export.run, f"author {author_id} of {network}: it holds the first {top} of each window")
    newest = ranked[-1][-1]
    names = {name: newest[name] for name in _NAMES}
    return {
        "run": rankings.run(export),
        "author": {**names, "profile": post_links.profile(network, author_id, newest["author_handle"])},
        "granularities": {name: _course(exports, export, name, rows[name]) for name in export.granularities},
        "same_handle": _same_handle(exports.table(export, export.granularities[-1]), names),
    }


def _rows(ranking: pa.Table, network: str, author_id: str) -> list[Document]:
    own = pc.and_(pc.equal(ranking["network"], network), pc.equal(ranking["author_id"], author_id))
    rows: list[Document] = ranking.filter(own).sort_by("window_start").to_pylist()
    return rows


def _course(exports: Exports, export: Export, granularity: str, rows: Sequence[JsonObject]) -> Document:
    """The author's windows by column, with the span of all windows of the granularity."""
    exported = windows(exports.table(export, granularity))
    until = complete_until(export.manifest)
    columns = {name: [row[name] for row in rows] for name in ("rank", "posts", "share", "peak_60s")}
    order = export.manifest.get("order") or "posts"
    shared = shared_ranks(exports.table(export, granularity), order)
    ties = [shared.get((row["window_start"], row.get(order))) for row in rows]
    handle = rows[-1]["author_handle"] if rows else None
    links = [post_links.posts_between(row["network"], handle, row["window_start"], row["window_end"]) for row in rows]
    return {
        "windows": len(exported),
        "start": rankings.text(exported[0].start),
        "end": rankings.text(exported[-1].end),
        "columns": {
            "start": [rankings.text(row["window_start"]) for row in rows],
            "end": [rankings.text(row["window_end"]) for row in rows],
            "complete": [row["window_end"] <= until for row in rows],
            **columns,
            "tied_rank": ties,
            "link": links,
        },
    }


def _same_handle(ranking: pa.Table, names: JsonObject) -> list[Document]:
    handle = _local(names["author_handle"])
    if not handle:
        return []
    accounts: dict[tuple[str, str], Document] = {}
    for row in ranking.select(list(_NAMES)).to_pylist():
        if row["network"] != names["network"] and _local(row["author_handle"]) == handle:
            accounts[(row["network"], row["author_id"])] = row
    return list(accounts.values())[:_MOST_ALIKE]


def _local(handle: str | None) -> str:
    """A handle without its host, in lower case."""
    return (handle or "").partition("@")[0].lower()
