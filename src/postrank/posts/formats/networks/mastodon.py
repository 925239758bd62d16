"""Mastodon in files: statuses of the REST API, and the outbox of an account's archive (ActivityPub).

The network is `mastodon:<host>` of the instance that a status is at home on, as far as the file tells: the host of its
`uri`. An author of an outbox is known by the URL of its actor.
"""

from typing import Any
from urllib.parse import urlsplit

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post, Tombstone
from postrank.posts.formats.networks.mastodon_statuses import plain, status
from postrank.posts.repairs import Repairs, required, shown, table_of
from postrank.posts.times import instant

# The fields of a note as Mastodon federates it (docs.joinmastodon.org, "ActivityPub").
_FIELDS = frozenset(
    "@context id type summary inReplyTo published updated url attributedTo to cc sensitive atomUri inReplyToAtomUri "
    "conversation context content contentMap attachment tag replies likes shares quote quoteUrl quoteUri "
    "_misskey_quote quoteAuthorization interactionPolicy name oneOf anyOf endTime closed votersCount source icon "
    "preview localOnly".split()
)
_COLLECTIONS = ("OrderedCollection", "OrderedCollectionPage", "Collection", "CollectionPage")
_PUBLIC = frozenset(("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"))
_NOTES = ("Note", "Article", "Question", "Page", "Video")


def is_status(message: JsonObject) -> bool:
    """Whether the object is a status of the REST API."""
    return type(message.get("account")) is dict and "id" in message and ("content" in message or "uri" in message)


def read_status(message: JsonObject, repairs: Repairs) -> Post:
    """A status. Raises Malformed."""
    account = message["account"]
    local_host = _host(account.get("url")) or _host(message.get("uri")) or _host(message.get("url"))
    if local_host is None:
        raise Malformed("account.url and uri name no host: which instance is the status from?")
    acct = account.get("acct")
    post = status(message, local_host, repairs=repairs)
    if type(acct) is str and "@" in acct:
        # An instance shows other instances' statuses under ids of its own; these are the ids at home.
        post.post_id = _last(message.get("uri")) or post.post_id
        post.author_id = acct.partition("@")[0]
    return post


def is_outbox(message: JsonObject) -> bool:
    """Whether the object is a collection of activities."""
    return message.get("type") in _COLLECTIONS and (
        "orderedItems" in message or "items" in message or "first" in message
    )


def outbox_items(message: JsonObject) -> list[Any]:
    """The activities of a collection. Raises Malformed."""
    items = message.get("orderedItems", message.get("items"))
    if type(items) is list:
        return items
    raise Malformed("an ActivityPub collection without its items: fetch the pages that `first` names")


def is_activity(message: JsonObject) -> bool:
    """Whether the object is an activity of ActivityPub."""
    return type(message.get("type")) is str and "actor" in message and "object" in message


def activity(message: JsonObject, repairs: Repairs) -> Event | Ignored:
    """An activity: a note that was written, a repost, a delete. Raises Malformed."""
    kind = message["type"]
    actor = message["actor"]
    actor = actor.get("id") if type(actor) is dict else actor
    if kind not in ("Create", "Update", "Announce", "Delete"):
        return Ignored(f"activity_{str(kind)[:32].lower()}")
    author_id = required(actor, "actor")
    host = _host(author_id)
    if host is None:
        raise Malformed(f"actor is {shown(actor)}, no URL")
    network = f"mastodon:{host}"
    target = message["object"]
    if kind == "Announce":
        post_id = required(_last(message.get("id"), back=2) or _last(message.get("id")), "id")
        posted_at = instant(message.get("published"), "published")
        repost_of = repairs.label(target if type(target) is str else repairs.table(target).get("id"))
        post = Post(network=network, post_id=post_id, author_id=author_id, posted_at=posted_at, repost_of=repost_of)
        post.author_handle = _handle(author_id, host)
        return post
    if kind == "Delete":
        uri = target if type(target) is str else table_of(target, "object").get("id")
        return Tombstone(network=network, post_id=required(_last(uri), "object.id"), author_id=author_id)
    note = table_of(target, "object")
    if note.get("type") not in _NOTES:
        return Ignored(f"activity_of_{str(note.get('type'))[:32].lower()}")
    return _note(note, author_id, host, repairs, edited=kind == "Update", published=message.get("published"))


def _note(note: JsonObject, author_id: str, host: str, repairs: Repairs, *, edited: bool, published: Any) -> Post:
    repairs.note_fields(note, _FIELDS, "activitypub")
    text, urls = plain(repairs.text(note.get("content")) or "")
    tags = repairs.tables(note.get("tag"))
    languages = repairs.table(note.get("contentMap"))
    media = [
        (repairs.text(attachment.get("mediaType")) or "", repairs.text(attachment.get("url")) or "")
        for attachment in repairs.tables(note.get("attachment"))
    ]
    media = [(kind.partition("/")[0], url) for kind, url in media if kind]
    return Post(
        network=f"mastodon:{host}",
        kind="edit" if edited else "post",
        post_id=required(_last(note.get("id")), "object.id"),
        author_id=author_id,
        posted_at=instant(note.get("published") or published, "published"),
        author_handle=_handle(author_id, host),
        text=text,
        lang=repairs.label(next(iter(languages), None)),
        hashtags=repairs.labels([_name(tag, "#") for tag in tags if tag.get("type") == "Hashtag"]),
        mentions=repairs.labels([_name(tag, "@") for tag in tags if tag.get("type") == "Mention"]),
        urls=urls or None,
        reply_to=_last(note.get("inReplyTo")),
        media_kinds=[kind for kind, _ in media] or None,
        media_urls=[url for _, url in media] or None,
        sensitive=repairs.flag(note.get("sensitive")),
        uri=repairs.label(note.get("id")),
        visibility=_visibility(note),
    )


def _visibility(note: JsonObject) -> str | None:
    """Mastodon's word for whom a note is addressed to (ActivityPub, "Public Addressing")."""
    audience = {name: note.get(name) for name in ("to", "cc")}
    lists = {name: value if type(value) is list else [value] for name, value in audience.items()}
    if not _PUBLIC.isdisjoint(map(str, lists["to"])):
        return "public"
    if not _PUBLIC.isdisjoint(map(str, lists["cc"])):
        return "unlisted"
    if any(str(value).endswith("/followers") for value in (*lists["to"], *lists["cc"])):
        return "private"
    return "direct" if audience["to"] else None


def _name(tag: JsonObject, sign: str) -> Any:
    name = tag.get("name")
    return name.removeprefix(sign) if type(name) is str else name


def _handle(author_id: str, host: str) -> str | None:
    name = _last(author_id)
    return f"{name.removeprefix('@')}@{host}" if name else None


def _host(url: Any) -> str | None:
    try:
        return urlsplit(url).hostname if type(url) is str else None
    except ValueError:
        return None


def _last(url: Any, back: int = 1) -> str | None:
    """The last segment of a URL's path, which is the id of what it names; `back`: the one so many before."""
    if type(url) is not str:
        return None
    segments = [segment for segment in url.split("/") if segment]
    return segments[-back] if len(segments) >= back else None
