"""Reading Postrank's own records: one JSON object, as the data contract describes it."""

from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Like, Log, Malformed, Metrics, Post, Tombstone
from postrank.posts.repairs import Repairs, shown
from postrank.posts.times import instant

_REQUIRED = ("kind", "network", "post_id", "author_id", "posted_at")
_TEXTS = (
    *("author_handle", "author_name", "text", "lang", "reply_to", "repost_of", "quote_of"),
    *("conversation_id", "reply_to_author", "repost_of_author", "quote_of_author"),
    *("place", "source_app", "uri", "visibility"),
)
_LISTS = ("hashtags", "mentions", "urls", "versions", "tags")
_MEDIA = ("media_kinds", "media_urls")
_OF_LIKES = ("like_of", "like_of_author")
_COUNTS = (
    *("like_count", "repost_count", "reply_count", "quote_count", "view_count"),
    *("follower_count", "following_count", "post_count"),
)
_OF_LOGS = ("host", "user_name", "method", "path", "status", "bytes", "referrer", "agent")
_LARGEST = 2**63 - 1  # a bigint of the lake
_KINDS = ("post", "edit", "repost", "like", "metrics", "log", "delete")
_BY_COLLECTOR = ("received_at", "collector", "source_cursor")  # whoever collects now sets them anew
FIELDS = frozenset(
    (*_REQUIRED, "sensitive", *_TEXTS, *_LISTS, *_MEDIA, *_OF_LIKES, *_COUNTS, *_OF_LOGS, *_BY_COLLECTOR),
)


def parse(record: JsonObject, repairs: Repairs | None = None) -> Event:
    """A record of the contract as an event. Raises Malformed with the field and what is wrong with it."""
    repairs = repairs or Repairs()
    repairs.note_fields(record, FIELDS, "postrank")
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
    if kind == "like":
        return _like(record, repairs)
    if kind == "metrics":
        return _metrics(record, repairs)
    if kind == "log":
        return _log(record, repairs)
    if kind not in ("post", "edit", "repost"):
        raise Malformed(f"kind is {shown(kind)}, none of {', '.join(_KINDS)}")
    if kind == "repost":
        _required(record, "repost_of")
    post = Post(
        kind=kind,
        network=_required(record, "network"),
        post_id=_required(record, "post_id"),
        author_id=_required(record, "author_id"),
        posted_at=instant(record.get("posted_at"), "posted_at"),
        **{field: repairs.text(record[field]) for field in _TEXTS if field in record},  # type: ignore[arg-type]  # Post has these fields
        **{field: _list(record[field], repairs) for field in _LISTS if field in record},  # type: ignore[arg-type]  # and these
    )
    if "sensitive" in record:
        post.sensitive = repairs.flag(record["sensitive"])
    if "media_kinds" in record:
        post.media_kinds, post.media_urls = _media(record, repairs)
    return post


def _like(record: JsonObject, repairs: Repairs) -> Like:
    author = record.get("like_of_author")
    return Like(
        network=_required(record, "network"),
        post_id=_required(record, "post_id"),
        author_id=_required(record, "author_id"),
        posted_at=instant(record.get("posted_at"), "posted_at"),
        like_of=_required(record, "like_of"),
        like_of_author=repairs.label(author),
    )


def _metrics(record: JsonObject, repairs: Repairs) -> Metrics:
    counts: dict[str, int] = {}
    for name in _COUNTS:
        value = _whole(record, name, repairs)
        if value is not None:
            counts[name] = value
    if not counts:
        raise Malformed(f"metrics have none of {', '.join(_COUNTS)}")
    return Metrics.of_post(
        _required(record, "network"),
        _required(record, "post_id"),
        repairs.label(record.get("author_id")),
        instant(record.get("posted_at"), "posted_at"),
        counts,
    )


def _log(record: JsonObject, repairs: Repairs) -> Log:
    return Log(
        network=_required(record, "network"),
        post_id=_required(record, "post_id"),
        posted_at=instant(record.get("posted_at"), "posted_at"),
        host=_required(record, "host"),
        status=_whole(record, "status", repairs),
        bytes=_whole(record, "bytes", repairs),
        user_name=repairs.text(record.get("user_name")),
        method=repairs.text(record.get("method")),
        path=repairs.text(record.get("path")),
        referrer=repairs.text(record.get("referrer")),
        agent=repairs.text(record.get("agent")),
    )


def _whole(record: JsonObject, field: str, repairs: Repairs) -> int | None:
    """A count that the record may lack; one that is none is left out."""
    value = record.get(field)
    if type(value) is int and 0 <= value <= _LARGEST:
        return value
    repairs.count += value is not None
    return None


def _media(record: JsonObject, repairs: Repairs) -> tuple[list[str] | None, list[str] | None]:
    """Kinds and URLs of the media; neither where they do not go together."""
    kinds = repairs.labels(record["media_kinds"])
    urls = record.get("media_urls")
    if kinds is None:
        return None, None
    if type(urls) is list and len(urls) == len(kinds) and all(type(url) is str for url in urls):
        return kinds, urls
    repairs.count += 1
    return None, None


def _required(record: JsonObject, field: str) -> str:
    value = record.get(field)
    if type(value) is str and value and "\ufffd" not in value:
        return value
    raise Malformed(f"{field} is missing" if value is None or value == "" else f"{field} is {shown(value)}, not text")


def _list(value: Any, repairs: Repairs) -> list[str] | None:
    if type(value) is list and all(type(element) is str for element in value):
        return value
    return repairs.labels(value)
