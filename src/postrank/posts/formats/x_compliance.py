"""What X asks of whoever keeps posts: events of the compliance streams (and of archives of them), results of its jobs.

X Developer Platform, "Compliance Data Objects":

- a post that is deleted, dropped from public view or withheld everywhere leaves the lake: a tombstone; so do all posts
  of an author who left, was suspended or withheld everywhere, up to that moment;
- a post or an author withheld in some countries is a notice: a ranking says nothing of countries, so a person looks;
- an edit (`tweet_edit`) is a notice with the id of the newest version, which the stream brings or hydration fetches;
- what undoes any of them is counted, and brings nothing back; so is `scrub_geo`: no place is ever kept.
"""

from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Notice, Tombstone
from postrank.posts.formats import x_users
from postrank.posts.times import instant

_GONE = ("delete", "drop")
_WITHHELD = ("withheld", "user_withheld")
_EVERYWHERE = frozenset({"XX", "XY"})  # in all countries; because of a request under the DMCA
KINDS = x_users.GONE | frozenset(
    "delete undelete withheld tweet_edit drop undrop user_undelete user_unprotect user_unsuspend user_withheld "
    "user_profile_modification scrub_geo".split()
)


def event(data: JsonObject) -> Event | Ignored | Malformed:
    """An event of version 2, such as `{"delete": {"tweet": {"id", "author_id"}, "event_at"}}`."""
    if kinds := x_users.GONE & data.keys():
        return x_users.gone(data[min(kinds)])
    kind = next((one for one in (*_GONE, *_WITHHELD, "tweet_edit") if one in data), "")
    if not kind:
        return Ignored(f"compliance_{next(iter(sorted(data)), 'empty')}")
    try:
        return _asked(kind, data[kind])
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        return Malformed(f"no v2 {kind}: {where}")


def result(line: JsonObject) -> Event | Ignored | Malformed:
    """A line of a batch compliance job's result, `{"id": ..., "action": "delete", ...}`."""
    post_id, action = line["id"], line["action"]
    if not (type(post_id) is str and type(action) is str and post_id):
        return Malformed("no result of a compliance job: id or action is not text")
    return Tombstone(network="x", post_id=post_id) if action == "delete" else Ignored(f"compliance_{action}")


def _asked(kind: str, body: JsonObject) -> Event | Ignored:
    if kind == "user_withheld":
        post_id, author_id = None, _text(body["user"]["id"])
    else:
        post = body.get("tweet") or body["post"]
        post_id, author_id = _text(post["id"]), post.get("author_id")
    at = instant(body["event_at"], "event_at") if "event_at" in body else None
    if kind in _GONE or (kind == "withheld" and _everywhere(body)):
        return Tombstone(network="x", post_id=post_id or "", author_id=author_id)
    if kind == "user_withheld" and _everywhere(body):
        return Tombstone.of_author("x", author_id or "", at)
    about = _edited(body) if kind == "tweet_edit" else ",".join(_countries(body))
    return Ignored(f"compliance_{kind}", Notice(kind=kind, post_id=post_id, author_id=author_id, about=about, at=at))


def _everywhere(body: JsonObject) -> bool:
    return not _EVERYWHERE.isdisjoint(_countries(body))


def _countries(body: JsonObject) -> list[str]:
    return [_text(one) for one in body.get("withheld_in_countries") or ()]


def _edited(body: JsonObject) -> str:
    """The id of the newest version."""
    post = body.get("tweet") or body["post"]
    return _text((post.get("edit_tweet_ids") or [body.get("new_tweet_id") or post["id"]])[-1])


def _text(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")
