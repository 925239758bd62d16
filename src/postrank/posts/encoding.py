"""Events as the lines that leave the collector: one JSON object each, in the data contract's fields, nulls left out."""

from typing import Any

import orjson

from postrank.posts.records import Event, Post
from postrank.posts.times import to_text


def encode(event: Event, *, received_at: str, collector: str) -> bytes:
    """The event's line, with its newline. `received_at` is in the contract's form."""
    if type(event) is not Post:
        return _encode_tombstone(event, received_at, collector)
    fields: dict[str, Any] = {
        "kind": event.kind,
        "network": event.network,
        "post_id": event.post_id,
        "author_id": event.author_id,
        "posted_at": to_text(event.posted_at),
        "received_at": received_at,
        "collector": collector,
    }
    # Written out: a loop over the names takes three times as long, for every post.
    if event.author_handle is not None:
        fields["author_handle"] = event.author_handle
    if event.author_name is not None:
        fields["author_name"] = event.author_name
    if event.text is not None:
        fields["text"] = event.text
    if event.lang is not None:
        fields["lang"] = event.lang
    if event.hashtags is not None:
        fields["hashtags"] = event.hashtags
    if event.mentions is not None:
        fields["mentions"] = event.mentions
    if event.urls is not None:
        fields["urls"] = event.urls
    if event.reply_to is not None:
        fields["reply_to"] = event.reply_to
    if event.repost_of is not None:
        fields["repost_of"] = event.repost_of
    if event.quote_of is not None:
        fields["quote_of"] = event.quote_of
    if event.source_cursor is not None:
        fields["source_cursor"] = event.source_cursor
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _encode_tombstone(event: Event, received_at: str, collector: str) -> bytes:
    fields = {
        "kind": "delete",
        "network": event.network,
        "post_id": event.post_id,
        "author_id": event.author_id,
        "posted_at": None if event.posted_at is None else to_text(event.posted_at),
        "received_at": received_at,
        "collector": collector,
        "source_cursor": event.source_cursor,
    }
    return orjson.dumps({k: v for k, v in fields.items() if v is not None}, option=orjson.OPT_APPEND_NEWLINE)
