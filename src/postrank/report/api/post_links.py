"""Where an author's posts can be read: addresses on the networks themselves. Exports hold counts, never texts.

The forms are those of the networks' own pages: X's and Bluesky's search operators, Mastodon's profile addresses.
"""

import re
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

_X_ID = re.compile(r"\d{1,20}")
_X_HANDLE = re.compile(r"\w{1,15}", re.ASCII)
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?")
_ACCOUNT = re.compile(r"[\w.-]+(@[a-z0-9.-]+)?", re.ASCII | re.IGNORECASE)


def profile(network: str, author_id: str, handle: str | None) -> str | None:
    """An author's page; None where the network has none, or what it says of the author is no valid name."""
    kind, _, host = network.partition(":")
    if kind == "x" and _X_ID.fullmatch(author_id):
        return f"https://x.com/i/user/{author_id}"
    if kind == "bluesky" and _DID.fullmatch(author_id):
        return f"https://bsky.app/profile/{quote(author_id, safe=':')}"
    if kind == "mastodon" and _HOST.fullmatch(host) and handle and _ACCOUNT.fullmatch(handle):
        return f"https://{host}/@{handle.removesuffix(f'@{host}')}"
    return None


def posts_between(network: str, handle: str | None, start: datetime, end: datetime) -> str | None:
    """A search for an author's posts of `[start, end)`; None where the network has no public one."""
    if network == "x" and handle and _X_HANDLE.fullmatch(handle):
        words = f"from:{handle} since_time:{int(start.timestamp())} until_time:{int(end.timestamp())}"
        return f"https://x.com/search?{urlencode({'q': words, 'f': 'live'})}"
    if network == "bluesky" and handle and _HOST.fullmatch(handle.lower()):
        words = f"from:{handle} since:{_text(start)} until:{_text(end)}"
        return f"https://bsky.app/search?{urlencode({'q': words})}"
    return None


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
