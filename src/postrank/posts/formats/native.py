"""Reading Postrank's own records: one JSON object, as the data contract describes it."""

from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Malformed, Post, Tombstone
from postrank.posts.repairs import Repairs, shown
from postrank.posts.times import instant

_TEXTS = ("author_handle", "author_name", "text", "lang", "reply_to", "repost_of", "quote_of")
_LISTS = ("hashtags", "mentions", "urls", "versions")
_BY_COLLECTOR = ("received_at", "collector", "source_cursor")  # whoever collects now sets them anew
FIELDS = frozenset(("kind", "network", "post_id", "author_id", "posted_at", *_TEXTS, *_LISTS, *_BY_COLLECTOR))


def parse(record: JsonObject, repairs: Repairs | None = None) -> Event:
    """A record of the contract as an event. Raises Malformed with the field and what is wrong with it."""
    repairs = repairs or Repairs()
    kind = record.get("kind")
    if kind == "delete":
        author = record.get("author_id")
        at = record.get("posted_at")
        return Tombstone(
            network=_required(record, "network"),
            post_id=_required(record, "post_id"),
            author_id=_required(record, "author_id") if author is not None else None,
            posted_at=instant(at, "posted_at") if at is not None else None,
        )
    if kind not in ("post", "edit"):
        raise Malformed(f"kind is {shown(kind)}, none of post, edit, delete")
    return Post(
        kind=kind,
        network=_required(record, "network"),
        post_id=_required(record, "post_id"),
        author_id=_required(record, "author_id"),
        posted_at=instant(record.get("posted_at"), "posted_at"),
        **{field: repairs.text(record[field]) for field in _TEXTS if field in record},  # type: ignore[arg-type]  # Post has these fields
        **{field: _list(record[field], repairs) for field in _LISTS if field in record},  # type: ignore[arg-type]  # and these
    )


def unknown_fields(record: JsonObject) -> int:
    """How many of a record's fields the contract does not know."""
    return len(record.keys() - FIELDS)


def _required(record: JsonObject, field: str) -> str:
    value = record.get(field)
    if type(value) is str and value and "\ufffd" not in value:
        return value
    raise Malformed(f"{field} is missing" if value is None or value == "" else f"{field} is {shown(value)}, not text")


def _list(value: Any, repairs: Repairs) -> list[str] | None:
    if type(value) is list and all(type(element) is str for element in value):
        return value
    return repairs.labels(value)
