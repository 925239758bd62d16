"""Reading Mastodon's statuses as Postrank's posts.

`network` is `mastodon:<host>` of the instance that was read: status and account ids are its own, and a delete carries
nothing but such an id. `posted_at` is `created_at`, also of an edit. The text is the status's HTML as plain text.
"""

import re
from html import unescape
from typing import Any

from postrank.documents import JsonObject
from postrank.posts import Malformed, Post
from postrank.posts.times import instant

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")  # end, name, rest
_ATTRIBUTE = re.compile(r"""(?:^|\s)(href|class)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def status(body: JsonObject, host: str, *, edited: bool = False) -> Post:
    """One status (docs.joinmastodon.org, "Status"). Raises Malformed."""
    try:
        return _status(body, host, edited)
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise Malformed(f"no status: {where}") from error


def _status(body: JsonObject, host: str, edited: bool) -> Post:
    account = body["account"]
    handle = _required(account["acct"])
    text, urls = plain(_text(body["content"]) or "")
    repost, quote = body.get("reblog"), body.get("quote")
    quoted = quote.get("quoted_status") if type(quote) is dict else None
    return Post(
        network=f"mastodon:{host}",
        kind="edit" if edited else "post",
        post_id=_required(body["id"]),
        author_id=_required(account["id"]),
        posted_at=instant(body["created_at"], "created_at"),
        author_handle=handle if "@" in handle else f"{handle}@{host}",
        author_name=_text(account.get("display_name")) or None,
        text=text,
        lang=_text(body.get("language")),
        hashtags=[_required(tag["name"]) for tag in body.get("tags") or ()] or None,
        mentions=[_required(mention["acct"]) for mention in body.get("mentions") or ()] or None,
        urls=urls or None,
        reply_to=_text(body.get("in_reply_to_id")),
        repost_of=_required(repost["id"]) if repost else None,
        quote_of=_required(quoted["id"]) if quoted else None,
    )


def plain(html: str) -> tuple[str, list[str]]:
    """The text of a status's HTML, with its line breaks, and the links that are neither mentions nor hashtags.

    In time that grows with the length alone: html.parser takes a minute for 60 KB of `<a `, and any server on the
    network can have an instance hand that on.
    """
    clean = _unescaped if "&" in html else str  # piece by piece: what a tag divides is no reference
    first, *tags = _TAG.split(html)
    pieces, urls = [clean(first)], []
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
    attributes_ = {name: double or single for name, double, single in _ATTRIBUTE.findall(attributes)}
    classes = _unescaped(attributes_.get("class", "")).split()
    return None if "mention" in classes or "hashtag" in classes else _unescaped(attributes_.get("href", "")) or None


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a reference to a character by a number of thousands of digits
        return text


def _required(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")
