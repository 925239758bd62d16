"""What X asks of whoever keeps posts: events of the compliance streams (and of archives of them), results of its jobs.

X Developer Platform, "Compliance Data Objects":

- a post that is deleted, dropped from public view or withheld everywhere leaves the lake: a tombstone; so do all posts
  of an author who left, was suspended or withheld everywhere, up to that moment;
- a post or an author withheld in some countries is a notice: a ranking says nothing of countries, so a person looks;
- an edit (`tweet_edit`) is a notice with the id of the newest version, which the stream brings or hydration fetches;
- `scrub_geo` is a notice with the author, and the (newest) post whose place must go: a person removes it;
- what undoes any of them is counted, and brings nothing back.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Notice, Tombstone
from postrank.posts.formats import x_users
from postrank.posts.repairs import shown
from postrank.posts.times import SNOWFLAKES_SINCE, instant, moment, snowflake_time

_RESULT = frozenset(("id", "action", "created_at", "redacted_at", "reason"))
_OF_POSTS_ONLY = ("deleted",)
_CREDIBLE = timedelta(minutes=1)  # between the time of an object and that within its id
_HELP = "Run a job of type tweets or users again, whose results have it"
_GONE = ("delete", "drop")
_WITHHELD = ("withheld", "user_withheld")
_EVERYWHERE = frozenset({"XX", "XY"})  # in all countries; because of a request under the DMCA
KINDS = x_users.GONE | frozenset(
    "delete undelete withheld tweet_edit drop undrop user_undelete user_unprotect user_unsuspend user_withheld "
    "user_profile_modification scrub_geo".split()
)


def event(data: JsonObject) -> Event | Ignored | Malformed | None:
    """An event of version 2, such as `{"delete": {"tweet": {"id", "author_id"}, "event_at"}}`; None if it is none."""
    kinds = KINDS & data.keys()
    if not kinds or len(data) > 1:
        return None
    (kind,) = kinds
    if kind in x_users.GONE:
        return x_users.gone(data[kind])
    if kind == "scrub_geo":
        return _scrubbed(data[kind])
    if kind not in (*_GONE, *_WITHHELD, "tweet_edit"):
        return Ignored(f"compliance_{kind}")
    try:
        return _read(kind, data[kind])
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        return Malformed(f"no v2 {kind}: {where}")


def is_result(line: JsonObject) -> bool:
    """Whether an object is a line of a compliance job's result, by all of its shape."""
    return "id" in line and "action" in line and line.keys() <= _RESULT


def result(line: JsonObject) -> Sequence[Event | Ignored | Malformed]:
    """A line of a batch compliance job's result, `{"id": ..., "action": "delete", ...}`.

    Jobs list posts or users, and a line does not say which. A post's id agrees with its `created_at`; ids of users who
    came before 2016 carry no time. Newer ids are unique among users and posts: both tombstones are given then, of
    which the one that is not meant takes out nothing.
    """
    line_id = line["id"]
    action = line["action"]
    if not (type(line_id) is str and line_id.isdecimal() and type(action) is str):
        return (Malformed(f"no result of a compliance job: id is {shown(line_id)}, action is {shown(action)}"),)
    if action != "delete":
        return (Ignored(f"compliance_{action}"),)
    try:
        created = instant(line["created_at"], "created_at") if line.get("created_at") else None
        redacted = instant(line["redacted_at"], "redacted_at") if line.get("redacted_at") else None
    except Malformed as malformed:
        return (malformed,)
    post = Tombstone(network="x", post_id=line_id)
    author = Tombstone.of_author("x", line_id, redacted)
    of_post = line.get("reason") in _OF_POSTS_ONLY or _may_be_post(line_id, created)
    of_author = line.get("reason") not in _OF_POSTS_ONLY and _may_be_author(line_id, created)
    if of_post and of_author and snowflake_time(line_id) is None:
        return (Malformed(f"the result of a compliance job lists {line_id} without created_at: post or user? {_HELP}"),)
    return ((post,) if of_post else ()) + ((author,) if of_author else ())


def user_result(line: object) -> Event | Ignored | Malformed:
    """The same of a job that listed users: what a user who must go had posted up to that moment is to go."""
    if not isinstance(line, dict) or type(line.get("id")) is not str or not line["id"].isdecimal():
        return Malformed(f"no result of a compliance job: {shown(line)}")
    action = line.get("action")
    if action != "delete":
        return Ignored(f"compliance_{action}")
    try:
        redacted = instant(line["redacted_at"], "redacted_at") if line.get("redacted_at") else None
    except Malformed as malformed:
        return malformed
    return Tombstone.of_author("x", line["id"], redacted)


def post_result(line: object) -> Event | Ignored | Malformed:
    """The same of a job that listed posts: every line is of a post."""
    if not isinstance(line, dict) or type(line.get("id")) is not str or not line["id"].isdecimal():
        return Malformed(f"no result of a compliance job: {shown(line)}")
    action = line.get("action")
    if action != "delete":
        return Ignored(f"compliance_{action}")
    return Tombstone(network="x", post_id=line["id"])


def _may_be_post(line_id: str, created: str | None) -> bool:
    id_time = snowflake_time(line_id)
    if created is None:
        return True
    return moment(created) < SNOWFLAKES_SINCE if id_time is None else abs(id_time - moment(created)) <= _CREDIBLE


def _may_be_author(line_id: str, created: str | None) -> bool:
    return created is None or snowflake_time(line_id) is not None or moment(created) >= SNOWFLAKES_SINCE


def _read(kind: str, body: JsonObject) -> Event | Ignored:
    if kind == "user_withheld":
        post_id = None
        author_id = _text(body["user"]["id"])
    else:
        post = body.get("tweet") or body["post"]
        post_id = _text(post["id"])
        author_id = post.get("author_id")
    at = instant(body["event_at"], "event_at") if "event_at" in body else None
    if kind in _GONE or (kind == "withheld" and _everywhere(body)):
        return Tombstone(network="x", post_id=post_id or "", author_id=author_id)
    if kind == "user_withheld" and _everywhere(body):
        return Tombstone.of_author("x", author_id or "", at)
    about = _edited(body) if kind == "tweet_edit" else ",".join(_countries(body))
    return Ignored(f"compliance_{kind}", Notice(kind=kind, post_id=post_id, author_id=author_id, about=about, at=at))


def _scrubbed(body: object) -> Ignored:
    """The place of one post, or of an author's posts up to one of them, must go."""
    fields = body if isinstance(body, dict) else {}
    post = fields.get("tweet") or fields.get("post")
    user = fields.get("user")
    if isinstance(post, dict):
        post_id = post.get("id")
        author = post.get("author_id")
    else:
        post_id = fields.get("up_to_tweet_id") or fields.get("up_to_status_id")
        author = user.get("id") if isinstance(user, dict) else fields.get("user_id")
    if post_id is None and author is None:
        return Ignored("compliance_scrub_geo")
    about = "place of the post" if isinstance(post, dict) else "places of the author's posts up to this one"
    ids = [None if number is None else str(number) for number in (post_id, author)]
    return Ignored(
        "compliance_scrub_geo", Notice(kind="scrub_geo", post_id=ids[0], author_id=ids[1], about=about, at=None)
    )


def _everywhere(body: JsonObject) -> bool:
    return not _EVERYWHERE.isdisjoint(_countries(body))


def _countries(body: JsonObject) -> list[str]:
    return [_text(country) for country in body.get("withheld_in_countries") or ()]


def _edited(body: JsonObject) -> str:
    """The id of the newest version."""
    post = body.get("tweet") or body["post"]
    return _text((post.get("edit_tweet_ids") or [body.get("new_tweet_id") or post["id"]])[-1])


def _text(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")
