"""Events as the lines that leave the collector: one JSON object each, in the data contract's fields, nulls left out."""

import orjson

from postrank.posts.records import Event, Post
from postrank.posts.times import to_text


def encode(event: Event, *, received_at: str, collector: str) -> bytes:
    """The event's line, with its newline. `received_at` is in the contract's form."""
    if type(event) is Post:
        fields = {
            "kind": event.kind,
            "network": event.network,
            "post_id": event.post_id,
            "author_id": event.author_id,
            "posted_at": to_text(event.posted_at),
            "author_handle": event.author_handle,
            "author_name": event.author_name,
            "text": event.text,
            "lang": event.lang,
            "hashtags": event.hashtags,
            "mentions": event.mentions,
            "urls": event.urls,
            "reply_to": event.reply_to,
            "repost_of": event.repost_of,
            "quote_of": event.quote_of,
            "received_at": received_at,
            "collector": collector,
            "source_cursor": event.source_cursor,
        }
    else:
        fields = {
            "kind": "delete",
            "network": event.network,
            "post_id": event.post_id,
            "author_id": event.author_id,
            "received_at": received_at,
            "collector": collector,
            "source_cursor": event.source_cursor,
        }
    return orjson.dumps({k: v for k, v in fields.items() if v is not None}, option=orjson.OPT_APPEND_NEWLINE)
