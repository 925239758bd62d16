"""Reading Bluesky's records and events as Postrank's events.

`post_id` is the record's at-URI (`at://<did>/app.bsky.feed.post/<rkey>`): that is how replies and quotes name a post,
so `reply_to` and `quote_of` join to it as they are. `author_id` is the DID, which a change of handle leaves alone.

`posted_at` is the record's `createdAt`, which its author's software may set to anything. It is believed when it lies
between 1970 and the moment at which the server saw the record; else the post gets that moment: a clock that is ahead
cannot put a post into a window to come. An imported old post keeps its old date.

A repost and a like are records of their own, whose at-URI a delete names.

An account that was deleted is a tombstone of all that its author posted; the account states that can be undone
(deactivated, suspended, taken down) are counted only.
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Like, Malformed, Post, Tombstone
from postrank.posts.repairs import Repairs, required, shown, table_of
from postrank.posts.times import EPOCH, instant, moment, to_text

NETWORK = "bluesky"
POSTS = "app.bsky.feed.post"
REPOSTS = "app.bsky.feed.repost"
LIKES = "app.bsky.feed.like"
COLLECTIONS = (POSTS, REPOSTS, LIKES)
_FIELDS = frozenset("$type createdAt embed entities facets labels langs reply tags text via".split())
_ENGAGEMENT_FIELDS = frozenset("$type createdAt subject via".split())
_CDN = "https://cdn.bsky.app/img/feed_fullsize/plain"
_VIDEOS = "https://video.bsky.app/watch"
_FACET = "app.bsky.richtext.facet#"
_AT_URI = re.compile(r"at://(did:[a-z]+:[^/\s]+)/app\.bsky\.feed\.post/[^/\s]+")
_SENSITIVE = frozenset("porn sexual nudity graphic-media".split())  # of the labels that authors set themselves
_REVERSIBLE = "deactivated suspended takendown desynchronized throttled".split()


def commit(
    did: Any,
    body: JsonObject,
    seen_at: datetime,
    repairs: Repairs | None = None,
    collections: Collection[str] = (POSTS,),
) -> Event | Ignored:
    """One commit of a record of some collections, as both wires describe it. Raises Malformed."""
    repairs = repairs or Repairs()
    collection = body.get("collection")
    if collection is None:
        raise Malformed("no commit of a post: collection is missing")
    if collection not in collections or collection not in COLLECTIONS:
        return Ignored("other_collection")
    post_id = f"at://{_did(did)}/{collection}/{required(body.get('rkey'), 'commit.rkey')}"
    operation = body.get("operation")
    if operation == "delete":
        return Tombstone(network=NETWORK, post_id=post_id, author_id=did)
    if operation not in ("create", "update"):
        if operation is None:
            raise Malformed("no commit of a post: operation is missing")
        return Ignored("other_operation")
    record = table_of(body.get("record"), "commit.record")
    if collection != POSTS:
        return _engagement(collection, post_id, did, record, seen_at, repairs)
    result = post(post_id, did, record, seen_at, repairs)
    result.kind = "post" if operation == "create" else "edit"
    return result


def _engagement(
    collection: str, record_id: str, did: str, record: JsonObject, seen_at: datetime, repairs: Repairs
) -> Event | Ignored:
    """A repost or a like. What is liked may be a feed or a list, too. Raises Malformed."""
    subject = required(table_of(record.get("subject"), "subject").get("uri"), "subject.uri")
    if not (match := _AT_URI.fullmatch(subject)):
        return Ignored("like_of_other" if collection == LIKES else "repost_of_other")
    posted_at = _posted_at(record.get("createdAt"), seen_at, repairs)
    repairs.note_fields(record, _ENGAGEMENT_FIELDS, "bluesky")
    if collection == LIKES:
        return Like(
            network=NETWORK,
            post_id=record_id,
            author_id=did,
            posted_at=posted_at,
            like_of=subject,
            like_of_author=match[1],
        )
    return Post(
        kind="repost",
        network=NETWORK,
        post_id=record_id,
        author_id=did,
        posted_at=posted_at,
        repost_of=subject,
        repost_of_author=match[1],
    )


def post(post_id: str, did: str, record: JsonObject, seen_at: datetime | None, repairs: Repairs) -> Post:
    """A record of a post. `seen_at` is when a server saw it, where that is known. Raises Malformed."""
    result = Post(
        network=NETWORK,
        post_id=post_id,
        author_id=did,
        posted_at=_posted_at(record.get("createdAt"), seen_at, repairs),
        text=repairs.text(record.get("text")),
        lang=next(iter(repairs.labels(record.get("langs")) or ()), None),
    )
    repairs.note_fields(record, _FIELDS, "bluesky")
    if reply := repairs.table(record.get("reply")):
        result.reply_to = repairs.label(repairs.table(reply.get("parent")).get("uri"))
        result.reply_to_author = _author_in(result.reply_to)
        result.conversation_id = repairs.label(repairs.table(reply.get("root")).get("uri"))
    _add_facets(result, record, repairs)
    if embed := repairs.table(record.get("embed")):
        result.quote_of = _quoted(embed, repairs)
        result.quote_of_author = _author_in(result.quote_of)
        _add_media(result, embed, repairs)
    labels = repairs.table(record.get("labels"))
    if values := repairs.tables(labels.get("values")):
        result.sensitive = any(value.get("val") in _SENSITIVE for value in values)
    return result


def _author_in(uri: str | None) -> str | None:
    """The DID in the at-URI of a post, where it is one."""
    match = _AT_URI.fullmatch(uri or "")
    return match[1] if match else None


def _add_media(result: Post, embed: JsonObject, repairs: Repairs) -> None:
    """Pictures and videos, with the URLs by which Bluesky's own servers give them; the link of a card."""
    inner = repairs.table(embed.get("media")) or embed
    blobs = [("image", repairs.table(image.get("image"))) for image in repairs.tables(inner.get("images"))]
    if video := repairs.table(inner.get("video")):
        blobs.append(("video", video))
    result.media_kinds = [kind for kind, _ in blobs] or None
    result.media_urls = [_blob_url(kind, result.author_id, blob, repairs) for kind, blob in blobs] or None
    link = repairs.label(repairs.table(inner.get("external")).get("uri"))
    if link and link not in (result.urls or ()):
        result.urls = [*(result.urls or ()), link]


def _blob_url(kind: str, did: str, blob: JsonObject, repairs: Repairs) -> str:
    cid = repairs.label(repairs.table(blob.get("ref")).get("$link"))
    if cid is None:
        return ""
    return f"{_VIDEOS}/{did}/{cid}/playlist.m3u8" if kind == "video" else f"{_CDN}/{did}/{cid}@jpeg"


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


def did_of(uri: Any) -> str:
    """The DID in the at-URI of a post. Raises Malformed."""
    if type(uri) is str and (match := _AT_URI.fullmatch(uri)):
        return match[1]
    raise Malformed(f"uri is {shown(uri)}, no at-URI of a post")


def _did(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise Malformed("did is missing" if value in (None, "") else f"did is {shown(value)}, no DID")


def _posted_at(claimed: Any, seen_at: datetime | None, repairs: Repairs) -> str:
    """What the author's software claims, where that can be believed."""
    try:
        text = instant(claimed, "createdAt")
    except Malformed:
        if seen_at is None:
            raise
        repairs.count += 1
        return to_text(seen_at)
    if seen_at is None or EPOCH <= moment(text) <= seen_at:
        return text
    repairs.count += moment(text) < EPOCH
    return to_text(seen_at)


def _quoted(embed: JsonObject, repairs: Repairs) -> str | None:
    """The post that an embed quotes: a record, or a record with media; feeds and lists are embedded the same way."""
    record = repairs.table(embed.get("record"))
    uri = record.get("uri") or repairs.table(record.get("record")).get("uri")
    return uri if type(uri) is str and f"/{POSTS}/" in uri else None


def _add_facets(result: Post, record: JsonObject, repairs: Repairs) -> None:
    """Tags, mentions and links of the text (byte ranges in UTF-8), and the tags beside it."""
    tags = repairs.labels(record.get("tags")) or []
    mentions: list[str] = []
    urls: list[str] = []
    text = (result.text or "").encode("utf-8", "replace")
    for facet in repairs.tables(record.get("facets")):
        for feature in repairs.tables(facet.get("features")):
            kind = str(feature.get("$type")).removeprefix(_FACET)
            if kind == "tag":
                tags += repairs.labels([feature.get("tag")]) or ()
            elif kind == "link":
                urls += repairs.labels([feature.get("uri")]) or ()
            elif kind == "mention":
                mentions += repairs.labels([_mentioned(feature, facet, text)]) or ()
    result.hashtags = tags or None
    result.mentions = mentions or None
    result.urls = urls or None


def _mentioned(feature: JsonObject, facet: JsonObject, text: bytes) -> Any:
    place = facet.get("index")
    if type(place) is dict and type(place.get("byteStart")) is type(place.get("byteEnd")) is int:
        shown_text = text[place["byteStart"] : place["byteEnd"]].decode(errors="replace")
        if shown_text.startswith("@") and len(shown_text) > 1:
            return shown_text[1:]
    return feature.get("did")
