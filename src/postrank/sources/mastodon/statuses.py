"""Reading Mastodon's statuses as Postrank's posts.

`network` is `mastodon:<host>` of the instance that was read: status and account ids are its own, and a delete carries
nothing but such an id. `posted_at` is `created_at`, also of an edit. The text is the status's HTML as plain text.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from postrank.posts import Malformed, Post
from postrank.posts.times import instant


def status(body: Mapping[str, Any], host: str, *, edited: bool = False) -> Post:
    """One status (docs.joinmastodon.org, "Status"). Raises Malformed."""
    try:
        return _status(body, host, edited)
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise Malformed(f"no status: {where}") from error


def _status(body: Mapping[str, Any], host: str, edited: bool) -> Post:
    account = body["account"]
    handle = _known(account["acct"])
    text, urls = plain(_text(body["content"]) or "")
    repost, quote = body.get("reblog"), body.get("quote")
    quoted = quote.get("quoted_status") if type(quote) is dict else None
    return Post(
        network=f"mastodon:{host}",
        kind="edit" if edited else "post",
        post_id=_known(body["id"]),
        author_id=_known(account["id"]),
        posted_at=instant(body["created_at"], "created_at"),
        author_handle=handle if "@" in handle else f"{handle}@{host}",
        author_name=_text(account.get("display_name")) or None,
        text=text,
        lang=_text(body.get("language")),
        hashtags=[_known(tag["name"]) for tag in body.get("tags") or ()] or None,
        mentions=[_known(one["acct"]) for one in body.get("mentions") or ()] or None,
        urls=urls or None,
        reply_to=_text(body.get("in_reply_to_id")),
        repost_of=_known(repost["id"]) if repost else None,
        quote_of=_known(quoted["id"]) if quoted else None,
    )


def plain(html: str) -> tuple[str, list[str]]:
    """The text of a status's HTML, with its line breaks, and the links that are neither mentions nor hashtags."""
    reader = _Plain()
    reader.feed(html)
    reader.close()
    return "".join(reader.text).strip(), reader.urls


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.text.append("\n")
        elif tag == "p" and self.text:
            self.text.append("\n\n")
        elif tag == "a":
            found = dict(attrs)
            classes = (found.get("class") or "").split()
            if (url := found.get("href")) and "mention" not in classes and "hashtag" not in classes:
                self.urls.append(url)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _known(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")
