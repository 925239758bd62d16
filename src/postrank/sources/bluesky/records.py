"""Reading Bluesky's records and events as Postrank's events.

`post_id` is the record's at-URI (`at://<did>/app.bsky.feed.post/<rkey>`): that is how replies and quotes name a post,
so `reply_to` and `quote_of` join to it as they are. `author_id` is the DID, which a change of handle leaves alone.

`posted_at` is the record's `createdAt`, which its author's software may set to anything. It is believed when it lies
between 1970 and the moment at which the server saw the record; else the post gets that moment: a clock that is ahead
cannot put a post into a window to come. An imported old post keeps its old date.

An account that was deleted is a tombstone of all that its author posted; the account states that can be undone
(deactivated, suspended, taken down) are counted only.
"""

from datetime import datetime
from typing import Any

from postrank.documents import JsonObject
from postrank.posts import Event, Ignored, Malformed, Post, Tombstone
from postrank.posts.times import EPOCH, instant, moment, to_text

NETWORK = "bluesky"
POSTS = "app.bsky.feed.post"
_FACET = "app.bsky.richtext.facet#"
_REVERSIBLE = "deactivated suspended takendown desynchronized throttled".split()


def commit(did: Any, body: JsonObject, seen_at: datetime) -> Event | Ignored:
    """One commit of a record, as both wires describe it. Raises Malformed."""
    try:
        return _commit(did, body, seen_at)
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise Malformed(f"no commit of a post: {where}") from error


def account(did: Any, body: Any, seen_at: datetime) -> Event | Ignored:
    """A change of an account's state. Raises Malformed."""
    if type(did) is not str or type(body) is not dict:
        raise Malformed("no account event: did or account is missing")
    if body.get("active"):
        return Ignored("account_active")
    status = body.get("status")
    if status == "deleted":
        return Tombstone.of_author(NETWORK, did, to_text(seen_at))
    return Ignored(f"account_{status}" if status in _REVERSIBLE else "account_other")


def _commit(did: Any, body: JsonObject, seen_at: datetime) -> Event | Ignored:
    if body["collection"] != POSTS:
        return Ignored("other_collection")
    post_id = f"at://{_required(did)}/{POSTS}/{_required(body['rkey'])}"
    operation = body["operation"]
    if operation == "delete":
        return Tombstone(network=NETWORK, post_id=post_id, author_id=did)
    if operation not in ("create", "update"):
        return Ignored("other_operation")
    record = body["record"]
    claimed = instant(record.get("createdAt"), "createdAt")
    text = record["text"]
    langs = record.get("langs")
    post = Post(
        network=NETWORK,
        kind="post" if operation == "create" else "edit",
        post_id=post_id,
        author_id=did,
        posted_at=claimed if EPOCH <= moment(claimed) <= seen_at else to_text(seen_at),
        text=_text(text),
        lang=_required(langs[0]) if langs else None,
    )
    if reply := record.get("reply"):
        post.reply_to = _required(reply["parent"]["uri"])
    if embed := record.get("embed"):
        post.quote_of = _quoted(embed)
    _facets(post, record)
    return post


def _quoted(embed: JsonObject) -> str | None:
    """The post that an embed quotes: a record, or a record with media; feeds and lists are embedded the same way."""
    record = embed.get("record") or {}
    uri = record.get("uri") or (record.get("record") or {}).get("uri")
    return uri if type(uri) is str and f"/{POSTS}/" in uri else None


def _facets(post: Post, record: JsonObject) -> None:
    """Tags, mentions and links of the text (byte ranges in UTF-8), and the tags beside it."""
    tags = [_required(tag) for tag in record.get("tags") or ()]
    mentions, urls, text = [], [], (post.text or "").encode()
    for facet in record.get("facets") or ():
        for feature in facet["features"]:
            kind = str(feature.get("$type")).removeprefix(_FACET)
            if kind == "tag":
                tags.append(_required(feature["tag"]))
            elif kind == "link":
                urls.append(_required(feature["uri"]))
            elif kind == "mention":
                place = facet["index"]
                shown = text[place["byteStart"] : place["byteEnd"]].decode(errors="replace")
                mentions.append(shown[1:] if shown.startswith("@") else _required(feature["did"]))
    post.hashtags, post.mentions, post.urls = tags or None, mentions or None, urls or None


def _required(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")
