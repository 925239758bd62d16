"""The versions of an edited post of X, in every form of its API: they are one post.

On X every edit is a post with an id of its own. Here all versions have the first one's id as `post_id`; the kind of
the others is `edit`; `versions` lists all ids that are known. An edit has the first version's `posted_at`: the time
within the first id, cut to the second, as `created_at` is. So an edit never moves a post to another minute, and never
counts as a second post.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Post
from postrank.posts.times import moment, snowflake_time, to_text

_CREDIBLE = timedelta(hours=1)  # between a post's time and the time within its id


def versions_of(message: JsonObject) -> list[str]:
    """The ids of all versions, the first one first; empty where the object tells of none."""
    ids = message.get("edit_history_tweet_ids")
    if ids is None:
        for key in ("edit_history", "edit_control", "edit_info"):
            if type(history := message.get(key)) is dict:
                return _of_history(history)
    return _texts(ids)


def join_versions(post: Post, versions: Sequence[str]) -> None:
    """Make a post a version of the one that its history begins with."""
    if not versions or versions == [post.post_id]:
        return
    chain = list(dict.fromkeys([*versions, post.post_id]))
    own_id = post.post_id
    post.versions = chain
    if chain[0] == own_id:
        return
    post.kind = "edit"
    post.post_id = chain[0]
    post.posted_at = _first_posted_at(post.posted_at, own_id, chain[0])


def _first_posted_at(posted_at: str, own_id: str, first_id: str) -> str:
    first = snowflake_time(first_id)
    own = snowflake_time(own_id)
    if first is None:
        return posted_at  # an id without a time: the edit's own time is the best that is known
    if own is None or abs(own - moment(posted_at)) < _CREDIBLE:
        return to_text(first.replace(microsecond=0))
    try:
        return to_text(moment(posted_at) - (own - first))  # ids that are not of this time say how far apart they are
    except OverflowError:
        return posted_at


def _of_history(history: JsonObject) -> list[str]:
    """The ids in any of the forms: v1.1's, the web client's, the personal archive's."""
    inner = history
    for key in ("initial", "edit", "edit_control_initial", "editControlInitial"):
        if type(deeper := inner.get(key)) is dict:
            initial = inner.get("initial_tweet_id") or inner.get("initialTweetId") or deeper.get("initialTweetId")
            return _texts([initial, *_of_history(deeper)] if type(initial) is str else _of_history(deeper))
    initial = history.get("initial_tweet_id") or history.get("initialTweetId")
    ids = history.get("edit_tweet_ids") or history.get("editTweetIds") or []
    return _texts([initial, *ids] if initial and type(ids) is list else ids)


def _texts(ids: Any) -> list[str]:
    if type(ids) is not list:
        return []
    texts = [str(value) for value in ids if type(value) is int or (type(value) is str and value)]
    return list(dict.fromkeys(texts))
