"""Loading documents: what a run exported beside its ranking, and the trends of an hour."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from postrank.documents import Document, JsonObject
from postrank.warehouse.objects import LoadedObject, Objects, run_of
from postrank.warehouse.rankings import scope_and_metric, storable

if TYPE_CHECKING:
    from psycopg import Cursor
    from psycopg.rows import TupleRow

Statements = Callable[[str], str]
_GAP = ("source", "gap_from", "gap_to", "collector", "reason", "recovered_by", "noted_at")
_HOP = ("collector", "hop", "received", "delivered", "rejected", "ignored", "spooled", "in_flight", "noted_at")


def load_posts(cursor: "Cursor[TupleRow]", objects: Objects, posts: LoadedObject, statement: Statements) -> int:
    """Load a run's posts by type and text lengths, unless those of a later export of the same interval are there."""
    manifest = objects.read(f"rankings/run={run_of(posts.key)}/manifest.json").document
    about = {
        "scope": scope_and_metric(manifest)[0],
        "interval_start": manifest["interval"]["start"],
        "interval_end": manifest["interval"]["end"],
        "exported_at": manifest["exported_at"],
    }
    rows = 0
    for table, name in (("posts_by_type", "types"), ("author_lengths", "authors")):
        cursor.execute(statement(f"{table}_newer"), about)
        if cursor.fetchone() == (0,):
            cursor.execute(statement(f"{table}_removed"), about)
            rows += _insert(cursor, statement(f"{table}_inserted"), posts.document.get(name) or (), about)
    return rows


def load_ledgers(cursor: "Cursor[TupleRow]", document: JsonObject, statement: Statements) -> int:
    """Load what a run's ledgers say of gaps and hops; newer notes stay."""
    gaps = [{name: row.get(name) for name in _GAP} for row in document.get("gaps") or ()]
    hops = [{name: row.get(name) for name in _HOP} for row in document.get("hop_counts") or ()]
    return _insert(cursor, statement("gaps_stored"), gaps, {}) + _insert(cursor, statement("hops_stored"), hops, {})


def load_hashtags(cursor: "Cursor[TupleRow]", document: JsonObject, statement: Statements) -> int:
    """Replace an hour's hashtags."""
    about = {"window_start": document["window_start"]}
    cursor.execute(statement("hashtag_trends_removed"), about)
    return _insert(cursor, statement("hashtag_trends_inserted"), document["hashtags"], about)


def load_place(cursor: "Cursor[TupleRow]", document: JsonObject, statement: Statements) -> int:
    """Replace what was trending at a place in an hour."""
    about = {name: document[name] for name in ("window_start", "woeid", "place", "heard_at")}
    cursor.execute(statement("place_trends_removed"), about)
    return _insert(cursor, statement("place_trends_inserted"), document["trends"], about)


def _insert(cursor: "Cursor[TupleRow]", text: str, rows: Iterable[JsonObject], about: JsonObject) -> int:
    values: list[Document] = [{name: storable(value) for name, value in {**about, **row}.items()} for row in rows]
    if values:
        cursor.executemany(text, values)
    return len(values)
