"""Counts that a network shows beside a post and its author, as observations of a moment.

X's `public_metrics` (X API v2, "Post object", "User object"), the counts of API v1.1, those of Mastodon's statuses and
accounts. What a post holds whole (a repost's original, a quoted post, posts and users of `includes`) is observed, too.
"""

from collections.abc import Iterator, Mapping

from postrank.documents import JsonObject
from postrank.posts.events import Metrics
from postrank.posts.formats.x_edits import versions_of
from postrank.posts.repairs import Repairs

_X_POST = {
    "like_count": "like_count",
    "retweet_count": "repost_count",
    "reply_count": "reply_count",
    "quote_count": "quote_count",
    "impression_count": "view_count",
}
_X_USER = {
    "followers_count": "follower_count",
    "following_count": "following_count",
    "tweet_count": "post_count",
}
_V1_POST = {
    "favorite_count": "like_count",
    "retweet_count": "repost_count",
    "reply_count": "reply_count",
    "quote_count": "quote_count",
}
_V1_USER = {
    "followers_count": "follower_count",
    "friends_count": "following_count",
    "statuses_count": "post_count",
}
_STATUS = {
    "favourites_count": "like_count",
    "reblogs_count": "repost_count",
    "replies_count": "reply_count",
    "quotes_count": "quote_count",
}
_ACCOUNT = {
    "followers_count": "follower_count",
    "following_count": "following_count",
    "statuses_count": "post_count",
}
_NESTED = ("retweeted_status", "quoted_status")
_LARGEST = 2**63 - 1  # a bigint of the lake


def of_x_v2(message: JsonObject, at: str, repairs: Repairs) -> Iterator[Metrics]:
    """Observations at a moment (in the contract's form) from a response or stream object of API v2."""
    data = message.get("data")
    includes = repairs.table(message.get("includes"))
    posts = [*repairs.tables(data if type(data) is list else [data]), *repairs.tables(includes.get("tweets"))]
    for post in posts:
        counts = _counts(repairs.table(post.get("public_metrics")), _X_POST, repairs)
        if counts and (post_id := _id(next(iter(versions_of(post)), post.get("id")))):
            yield Metrics.of_post("x", post_id, _id(post.get("author_id")), at, counts)
    for user in repairs.tables(includes.get("users")):
        counts = _counts(repairs.table(user.get("public_metrics")), _X_USER, repairs)
        if counts and (user_id := _id(user.get("id"))):
            yield Metrics.of_author("x", user_id, at, counts)


def of_x_v1(message: JsonObject, at: str, repairs: Repairs) -> Iterator[Metrics]:
    """Observations at a moment from a post of API v1.1."""
    posts = [message, *(repairs.table(message.get(name)) for name in _NESTED)]
    for post in posts:
        user = repairs.table(post.get("user"))
        user_id = _id(user.get("id_str") or user.get("id"))
        counts = _counts(post, _V1_POST, repairs)
        post_id = _id(next(iter(versions_of(post)), post.get("id_str") or post.get("id")))
        if counts and post_id:
            yield Metrics.of_post("x", post_id, user_id, at, counts)
        if user_id and (counts := _counts(user, _V1_USER, repairs)):
            yield Metrics.of_author("x", user_id, at, counts)


def of_status(body: JsonObject, host: str, at: str, repairs: Repairs) -> Iterator[Metrics]:
    """Observations at a moment from a status that an instance shows."""
    network = f"mastodon:{host}"
    for status in (body, repairs.table(body.get("reblog"))):
        account = repairs.table(status.get("account"))
        account_id = _id(account.get("id"))
        counts = _counts(status, _STATUS, repairs)
        if counts and (post_id := _id(status.get("id"))):
            yield Metrics.of_post(network, post_id, account_id, at, counts)
        if account_id and (counts := _counts(account, _ACCOUNT, repairs)):
            yield Metrics.of_author(network, account_id, at, counts)


def _counts(values: JsonObject, names: Mapping[str, str], repairs: Repairs) -> dict[str, int]:
    """The counts that are there; none at all where all are 0, as they are of a post that was just written."""
    counts = {}
    for name, field in names.items():
        value = values.get(name)
        if type(value) is int and 0 <= value <= _LARGEST:
            counts[field] = value
        elif value is not None:
            repairs.count += 1
    return counts if any(counts.values()) else {}


def _id(value: object) -> str | None:
    if type(value) is int:
        return str(value)
    return value if type(value) is str and value else None
