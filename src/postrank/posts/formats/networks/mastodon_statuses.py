"""Reading Mastodon's statuses as Postrank's posts.

`network` is `mastodon:<host>` of the instance that was read: status and account ids are its own, and a delete carries
nothing but such an id. `posted_at` is `created_at`, also of an edit. The text is the status's HTML as plain text.
"""

import re
from html import unescape

from postrank.documents import JsonObject
from postrank.posts.events import Malformed, Post
from postrank.posts.repairs import Repairs, required, table_of
from postrank.posts.times import instant

# The fields of a status (docs.joinmastodon.org, "Status").
_FIELDS = frozenset(
    "account application bookmarked card content created_at edited_at emojis favourited favourites_count filtered id "
    "in_reply_to_account_id in_reply_to_id language media_attachments mentions muted pinned poll quote quote_approval "
    "quotes_count reblog reblogged reblogs_count replies_count sensitive spoiler_text tags text uri url visibility "
    "quote_id".split()
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")  # end, name, rest
_ATTRIBUTE = re.compile(r"""(?:^|\s)(href|class)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def status(body: JsonObject, host: str, *, edited: bool = False, repairs: Repairs | None = None) -> Post:
    """One status (docs.joinmastodon.org, "Status"). Raises Malformed."""
    try:
        return _status(body, host, edited, repairs or Repairs())
    except (TypeError, AttributeError) as error:
        raise Malformed(f"no status: {error}") from error


def _status(body: JsonObject, host: str, edited: bool, repairs: Repairs) -> Post:
    account = table_of(body.get("account"), "account")
    repairs.note_fields(body, _FIELDS, "mastodon")
    reblog = repairs.table(body.get("reblog"))
    quoted = repairs.table(repairs.table(body.get("quote")).get("quoted_status"))
    kinds, media_urls = _media(body, repairs)
    text, urls = plain(repairs.text(body.get("content")) or "")
    return Post(
        network=f"mastodon:{host}",
        kind="edit" if edited else "post",
        post_id=required(body.get("id"), "id"),
        author_id=required(account.get("id"), "account.id"),
        posted_at=instant(body.get("created_at"), "created_at"),
        author_handle=_handle(repairs.label(account.get("acct")), host),
        author_name=repairs.text(account.get("display_name")) or None,
        text=text,
        lang=repairs.label(body.get("language")),
        hashtags=repairs.labels(body.get("tags"), lambda tag: tag["name"]),
        mentions=repairs.labels(body.get("mentions"), lambda mention: mention["acct"]),
        urls=urls or None,
        reply_to=repairs.label(body.get("in_reply_to_id")),
        repost_of=repairs.label(reblog.get("id")),
        quote_of=repairs.label(quoted.get("id")),
        reply_to_author=repairs.label(body.get("in_reply_to_account_id")),
        repost_of_author=repairs.label(repairs.table(reblog.get("account")).get("id")),
        quote_of_author=repairs.label(repairs.table(quoted.get("account")).get("id")),
        media_kinds=kinds,
        media_urls=media_urls,
        source_app=repairs.text(repairs.table(body.get("application")).get("name")) or None,
        sensitive=repairs.flag(body.get("sensitive")),
        uri=repairs.label(body.get("uri")),
        visibility=repairs.label(body.get("visibility")),
    )


def _media(body: JsonObject, repairs: Repairs) -> tuple[list[str] | None, list[str] | None]:
    """The kinds of the attachments and where each lies: at the instance, or where it came from."""
    media = [(repairs.label(medium.get("type")), medium) for medium in repairs.tables(body.get("media_attachments"))]
    urls = [repairs.text(medium.get("url") or medium.get("remote_url")) or "" for kind, medium in media if kind]
    return [kind for kind, _ in media if kind] or None, urls or None


def _handle(acct: str | None, host: str) -> str | None:
    return acct if acct is None or "@" in acct else f"{acct}@{host}"


def plain(html: str) -> tuple[str, list[str]]:
    """The text of a status's HTML, with its line breaks, and the links that are neither mentions nor hashtags.

    In time that grows with the length alone: html.parser takes a minute for 60 KB of `<a `, and any server on the
    network can have an instance hand that on.
    """
    clean = _unescaped if "&" in html else str  # piece by piece: what a tag divides is no reference
    first, *tags = _TAG.split(html)
    pieces = [clean(first)]
    urls = []
    for end, name, rest, text in zip(*[iter(tags)] * 4, strict=True):
        match name.lower():
            case "br":
                pieces.append("\n")
            case "p" if not end:
                pieces.append("\n\n")
            case "a" if rest and (url := _link(rest)):
                urls.append(url)
        pieces.append(clean(text))
    return "".join(pieces).strip(), urls


def _link(attributes: str) -> str | None:
    """Where an anchor leads, unless to an account or a hashtag."""
    values = {name: double or single for name, double, single in _ATTRIBUTE.findall(attributes)}
    classes = _unescaped(values.get("class", "")).split()
    return None if "mention" in classes or "hashtag" in classes else _unescaped(values.get("href", "")) or None


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a reference to a character by a number of thousands of digits
        return text
