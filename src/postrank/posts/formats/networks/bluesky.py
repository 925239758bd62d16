"""Bluesky in files: dumps of Jetstream, and what the API gives (post views, feeds, threads, listed records).

Each is recognised by all of its shape. A post view is the same post as the event that Jetstream gave of it: both
have the at-URI as their id.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post
from postrank.posts.formats.networks import bluesky_records as records
from postrank.posts.repairs import Repairs, required, shown, table_of
from postrank.posts.times import EPOCH, parse_rfc3339

_KINDS = ("commit", "identity", "account", "sync")
_FEED_ITEM = frozenset(("post", "reply", "reason", "feedContext", "reqId", "$type"))
_RESPONSE = frozenset(("feed", "posts", "cursor", "hitsTotal"))


def is_event(message: JsonObject) -> bool:
    """Whether the object is an event of Jetstream."""
    return message.get("kind") in _KINDS and "did" in message and "time_us" in message


def event(message: JsonObject, repairs: Repairs, collections: Collection[str] = (records.POSTS,)) -> Event | Ignored:
    """An event of Jetstream, of records of some collections. Raises Malformed."""
    did = message.get("did")
    kind = message["kind"]
    body = message.get(kind)
    seen_at = _moment(message["time_us"])
    if kind == "commit":
        return records.commit(did, table_of(body, "commit"), seen_at, repairs, collections)
    if kind == "account":
        return records.account(did, body, seen_at)
    return Ignored(kind)


def engagement(line: bytes, collections: Collection[str], repairs: Repairs) -> Event | Ignored | Malformed | None:
    """The like or repost (or its delete) of a line that is an event of Jetstream; None for any other line."""
    if b"app.bsky.feed.like" not in line and b"app.bsky.feed.repost" not in line:
        return None
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(message) is not dict or not is_event(message) or type(message.get("commit")) is not dict:
        return None
    if message["commit"].get("collection") not in collections or message["commit"]["collection"] == records.POSTS:
        return None
    try:
        return event(message, repairs, collections)
    except Malformed as malformed:
        return malformed


def is_view(message: JsonObject) -> bool:
    """Whether the object is a post as the API shows it."""
    uri = message.get("uri")
    return type(uri) is str and uri.startswith("at://") and "author" in message and "record" in message


def view(message: JsonObject, repairs: Repairs) -> Post:
    """A post as the API shows it (`app.bsky.feed.defs#postView`). Raises Malformed."""
    uri = message["uri"]
    author = table_of(message.get("author"), "author")
    did = records.did_of(uri)
    if (author_id := author.get("did")) != did:
        raise Malformed(f"author.did is {shown(author_id)}, and uri names {did}")
    indexed = message.get("indexedAt")
    seen_at = parse_rfc3339(indexed, "indexedAt") if indexed is not None else None
    post = records.post(uri, did, table_of(message["record"], "record"), seen_at, repairs)
    post.author_handle = repairs.label(author.get("handle"))
    post.author_name = repairs.text(author.get("displayName")) or None
    return post


def is_feed_item(message: JsonObject) -> bool:
    """Whether the object is an element of a feed."""
    post = message.get("post")
    return type(post) is dict and is_view(post) and message.keys() <= _FEED_ITEM


def is_record(message: JsonObject) -> bool:
    """Whether the object is a record of a repository, as `com.atproto.repo.listRecords` lists it."""
    uri = message.get("uri")
    return type(uri) is str and f"/{records.POSTS}/" in uri and "value" in message and "author" not in message


def record(message: JsonObject, repairs: Repairs) -> Post:
    """A listed record of a post. Raises Malformed."""
    uri = message["uri"]
    return records.post(uri, records.did_of(uri), table_of(message["value"], "value"), None, repairs)


def is_response(message: JsonObject) -> bool:
    """Whether the object is a response with a list of posts."""
    listed = message.get("feed", message.get("posts"))
    return type(listed) is list and message.keys() <= _RESPONSE and all(map(_is_listed, listed[:8]))


def _is_listed(element: Any) -> bool:
    return type(element) is dict and (is_view(element) or is_feed_item(element))


def is_thread(message: JsonObject) -> bool:
    """Whether the object is the response of `getPostThread`."""
    thread = message.get("thread")
    return type(thread) is dict and "post" in thread and message.keys() <= {"thread", "threadgate"}


def thread_posts(thread: JsonObject) -> Iterator[Any]:
    """The posts of a thread: its parents, itself, its replies."""
    waiting: list[Any] = [thread]
    while waiting:
        node = waiting.pop()
        if type(node) is not dict or "post" not in node:
            continue
        yield node["post"]
        waiting.append(node.get("parent"))
        waiting.extend(node.get("replies") or ())


def is_flat(message: JsonObject) -> bool:
    """Whether the object is a post of Bluesky under names of other networks: its id is an at-URI, its author a DID."""
    return any(
        type(message.get(key)) is str and message[key].startswith(("at://", "did:"))
        for key in ("id", "uri", "post_id", "author_id", "author_did", "did")
    )


def flat(message: JsonObject, repairs: Repairs) -> Post:
    """A post as data sets flatten it: `id` or `uri`, `author_id` or `did`, `created_at`. Raises Malformed."""
    uri = required(message.get("uri") or message.get("post_id") or message.get("id"), "uri")
    did = records.did_of(uri)
    author_id = message.get("author_id") or message.get("author_did") or message.get("did") or did
    if author_id != did:
        raise Malformed(f"author_id is {shown(author_id)}, and the at-URI names {did}")
    created = message.get("createdAt") or message.get("created_at")
    post = records.post(uri, did, {"createdAt": created, "text": message.get("text")}, None, repairs)
    post.author_handle = repairs.label(message.get("handle") or message.get("author_handle"))
    return post


def _moment(time_us: Any) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=time_us // 1000)
    except (TypeError, OverflowError) as error:
        raise Malformed(f"time_us is {shown(time_us)}, no time in microseconds") from error
