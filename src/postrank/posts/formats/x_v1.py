"""Reading Twitter API v1.1 objects, as archives of its streams keep them: posts, delete notices, other notices.

`posted_at` is `timestamp_ms` where an object has it and `created_at` (whole seconds) where not; never the time within
the id, which differs from both. `timestamp_ms` came with the streams of late 2013.
"""

from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post, Tombstone
from postrank.posts.formats import x_users
from postrank.posts.times import from_milliseconds, parse_x_v1

# Streaming message types (Twitter developer documentation, "Streaming message types", v1.1).
NOTICES = frozenset(
    "limit disconnect warning scrub_geo status_withheld user_withheld friends friends_str event for_user control "
    "direct_message user_undelete user_unprotect user_unsuspend".split()
)


def is_post(message: JsonObject) -> bool:
    """Whether the object has the marks of a v1.1 post."""
    return "user" in message and "created_at" in message


def parse(message: JsonObject) -> Event:
    """A v1.1 post. Raises Malformed."""
    try:
        return _post(message)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"no v1.1 post: {_where(error)}") from error


def parse_delete(message: JsonObject) -> Event:
    """A v1.1 delete notice: `{"delete": {"status": {"id_str": ..., "user_id_str": ...}}}`. Raises Malformed."""
    try:
        status = message["delete"]["status"]
        author = status.get("user_id_str") or status.get("user_id")
        return Tombstone(
            network="x",
            post_id=_id(status),
            author_id=str(author) if author else None,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"no v1.1 delete notice: {_where(error)}") from error


def notice(message: JsonObject) -> Event | Ignored | Malformed | None:
    """What the object says, if it is a notice: mostly nothing to us, or that a user left."""
    for kind in x_users.GONE & message.keys():
        return x_users.gone(message[kind])
    for kind in NOTICES & message.keys():
        return Ignored(kind)
    return None


def _post(message: JsonObject) -> Post:
    user = message["user"]
    stamp = message.get("timestamp_ms")
    extended = message.get("extended_tweet") or message
    entities = extended.get("entities") or {}
    repost = message.get("retweeted_status")
    return Post(
        network="x",
        post_id=_id(message),
        author_id=_id(user),
        posted_at=parse_x_v1(message["created_at"]) if stamp is None else from_milliseconds(stamp, "timestamp_ms"),
        author_handle=_text(user.get("screen_name")),
        author_name=_text(user.get("name")),
        text=_text(extended.get("full_text") or message.get("full_text") or message.get("text")),
        lang=_text(message.get("lang")),
        hashtags=[tag["text"] for tag in entities.get("hashtags") or ()] or None,
        mentions=[one["screen_name"] for one in entities.get("user_mentions") or ()] or None,
        urls=[url.get("expanded_url") or url["url"] for url in entities.get("urls") or ()] or None,
        reply_to=_text(message.get("in_reply_to_status_id_str")),
        repost_of=_id(repost) if repost else None,
        quote_of=_text(message.get("quoted_status_id_str")),
    )


def _id(thing: JsonObject) -> str:
    found = thing.get("id_str") or thing["id"]
    if type(found) is str or type(found) is int:
        return str(found)
    raise TypeError("id is neither text nor number")


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")


def _where(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
