"""Posts out of tables and of objects that nobody knows, by a mapping of names to the contract's fields.

`author_id` and `posted_at` are required; a row without `post_id` is known by its place in the file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Malformed, Post
from postrank.posts.formats.networks import bluesky_records
from postrank.posts.repairs import Repairs, number_of_x, required
from postrank.posts.times import instant_of_any_form

_ESCAPED = re.compile("[\ud800-\udfff]")  # bytes that are no UTF-8
REQUIRED = ("author_id", "posted_at")
TEXTS = ("author_handle", "author_name", "text", "lang", "reply_to", "repost_of", "quote_of")
FIELDS = (*REQUIRED, "post_id", "network", *TEXTS)
OTHERS = "files"  # the network of rows whose network nothing tells


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds which field; `network` is the same for all rows unless a column names it."""

    fields: Mapping[str, str]
    network: str
    form: str


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that is recognised by columns that it must have."""

    form: str
    needs: frozenset[str]
    fields: Mapping[str, Sequence[str]]
    network: str = "x"
    without: frozenset[str] = field(default_factory=frozenset)


def _table(form: str, needs: str, network: str = "x", without: str = "", **fields: str) -> _Table:
    names = {name: columns.split("|") for name, columns in fields.items()}
    return _Table(form, frozenset(needs.split()), names, network, frozenset(without.split()))


# In this order: the first that fits is it.
# fmt: off
_TABLES = (
    _table(
        "Postrank's columns",
        "network author_id posted_at",
        post_id="post_id", author_id="author_id", posted_at="posted_at", network_column="network",
        text="text", lang="lang",
        author_handle="author_handle", author_name="author_name", reply_to="reply_to", repost_of="repost_of",
        quote_of="quote_of",
    ),
    _table(
        "a table of 4CAT",
        "id thread_id timestamp body author author_id",
        post_id="id", author_id="author_id", posted_at="unix_timestamp|timestamp", text="body", author_handle="author",
        author_name="author_fullname", lang="language_guess",
    ),
    _table(
        "a table of DMI-TCAT",
        "id created_at from_user_name from_user_id",
        post_id="id", author_id="from_user_id", posted_at="time|created_at", text="text", lang="lang",
        author_handle="from_user_name", author_name="from_user_realname", reply_to="in_reply_to_status_id",
        quote_of="quoted_status_id",
    ),
    _table(
        "a table of X's information operations",
        "tweetid userid tweet_time",
        post_id="tweetid", author_id="userid", posted_at="tweet_time", text="tweet_text", lang="tweet_language",
        author_handle="user_screen_name", author_name="user_display_name", reply_to="in_reply_to_tweetid",
        repost_of="retweet_tweetid", quote_of="quoted_tweet_tweetid",
    ),
    _table(
        "a table of X API v2 (twarc-csv)",
        "id author_id created_at",
        post_id="id", author_id="author_id", posted_at="created_at", text="text", lang="lang",
        author_handle="author.username|author_username|username|user_username",
        author_name="author.name|author_name|name",
        reply_to="referenced_tweets.replied_to.id", repost_of="referenced_tweets.retweeted.id",
        quote_of="referenced_tweets.quoted.id",
    ),
    _table(
        "a table of X API v2",
        "tweet_id author_id created_at",
        post_id="tweet_id", author_id="author_id", posted_at="created_at", text="text|tweet_text", lang="lang",
        author_handle="user_username|author_username|username", author_name="user_name|author_name",
    ),
    _table(
        "a table of Twitter API v1.1",
        "user_id created_at",
        post_id="id_str|id|tweet_id|status_id", author_id="user_id_str|user_id", posted_at="timestamp_ms|created_at",
        text="full_text|text|tweet", lang="lang|language", author_handle="user_screen_name|screen_name|username",
        author_name="user_name|name", reply_to="in_reply_to_status_id_str|in_reply_to_status_id|reply_to_status_id",
        repost_of="retweet_id|retweet_status_id|retweeted_status_id", quote_of="quoted_status_id",
    ),
    _table(
        "a table of Twitter API v1.1",
        "user.id_str created_at",
        post_id="id_str|id", author_id="user.id_str|user.id", posted_at="timestamp_ms|created_at",
        text="full_text|text", lang="lang", author_handle="user.screen_name", author_name="user.name",
        reply_to="in_reply_to_status_id_str", repost_of="retweeted_status.id_str", quote_of="quoted_status_id_str",
    ),
    _table(
        "a table of Twitter API v1.1",
        "user.id created_at",
        post_id="id_str|id", author_id="user.id", posted_at="timestamp_ms|created_at",
        text="full_text|text", lang="lang", author_handle="user.screen_name", author_name="user.name",
        reply_to="in_reply_to_status_id", repost_of="retweeted_status.id", quote_of="quoted_status_id",
    ),
    _table(
        "a table of Bluesky posts",
        "uri did created_at",
        network="bluesky",
        post_id="uri", author_id="did", posted_at="created_at", text="text", author_handle="handle",
    ),
    _table(
        "a table of Bluesky posts",
        "uri author_did created_at",
        network="bluesky",
        post_id="uri", author_id="author_did", posted_at="created_at", text="text",
        author_handle="author_handle|handle",
    ),
)
# fmt: on


class WrongMapping(ValueError):
    """A mapping names columns that are not there, or leaves out what a post needs; the text lists the columns."""


def recognised(names: Sequence[str]) -> Columns | None:
    """The columns of a table that is known by its header; None if it is not."""
    by_name = {name.strip().lower(): name for name in reversed(names)}
    for table in _TABLES:
        if not table.needs <= by_name.keys():
            continue
        fields = {}
        for name, candidates in table.fields.items():
            column = next((candidate for candidate in candidates if candidate in by_name), None)
            if column is not None:
                fields["network" if name == "network_column" else name] = by_name[column]
        return Columns(fields, table.network, table.form)
    return None


def mapped(names: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """The columns that a person names. Raises WrongMapping."""
    listed = ", ".join(names) or "none"
    if unknown := sorted(mapping.keys() - set(FIELDS)):
        raise WrongMapping(f"the mapping names {', '.join(unknown)}; the fields of a post are {', '.join(FIELDS)}")
    if missing := [name for name in REQUIRED if name not in mapping]:
        raise WrongMapping(f"the mapping lacks {' and '.join(missing)}; the columns are: {listed}")
    absent = [f"{name}={column}" for name, column in mapping.items() if column not in names and name != "network"]
    if absent:
        raise WrongMapping(f"no column is named as in {', '.join(absent)}; the columns are: {listed}")
    network = mapping.get("network", OTHERS)
    fields = {name: column for name, column in mapping.items() if name != "network" or column in names}
    return Columns(fields, OTHERS if "network" in fields else network, "a table with a mapping of its own")


def without_columns(names: Sequence[str]) -> str:
    """Why a table cannot be ranked, and what to do."""
    return (
        "no columns are known to hold an author and a time; name them, as in "
        f"`--map author_id=COLUMN --map posted_at=COLUMN` (post_id too, if there is one). "
        f"The columns are: {', '.join(names)}"
    )


class RowReader:
    """Makes posts of rows. A row's values come in the order of `columns`."""

    def __init__(self, columns: Columns, identity: str) -> None:
        fields = {name: columns.fields[name] for name in FIELDS if name in columns.fields}
        self.columns = tuple(fields.values())
        self._network = columns.network
        self._identity = identity
        place = {name: number for number, name in enumerate(fields)}
        self._id = place.get("post_id")
        self._network_place = place.get("network")
        self._texts = [(name, place[name]) for name in TEXTS if name in place]

    def post(self, values: Sequence[Any], place: int, repairs: Repairs) -> Post:
        """A row as a post; `place` is its id where it has none. Raises Malformed."""
        author_column = self.columns[0]
        time_column = self.columns[1]
        author_id = required(values[0], author_column)
        network = self._network
        if self._network_place is not None:
            network = required(values[self._network_place], self.columns[self._network_place])
        post_id = f"{self._identity}-{place}"
        if self._id is not None:
            post_id = required(values[self._id], self.columns[self._id])
            if network == "x":
                network, post_id, author_id = self._of_x(post_id, author_id)
        post = Post(
            network=network,
            post_id=post_id,
            author_id=author_id,
            posted_at=instant_of_any_form(values[1], time_column),
        )
        for name, column in self._texts:
            value = values[column]
            if value is not None and value != "":
                setattr(post, name, _detail(value, repairs))
        return post

    def _of_x(self, post_id: str, author_id: str) -> tuple[str, str, str]:
        if post_id.startswith("at://") or author_id.startswith("did:"):
            if bluesky_records.did_of(post_id) != author_id:
                raise Malformed(f"{self.columns[0]} is {author_id!r}, which {post_id!r} does not name")
            return bluesky_records.NETWORK, post_id, author_id
        return "x", number_of_x(_whole(post_id), "the post's id"), number_of_x(_whole(author_id), self.columns[0])


def _detail(value: Any, repairs: Repairs) -> str | None:
    if type(value) is not str:
        return repairs.label(value)
    if value.isascii() or not _ESCAPED.search(value):
        return value
    repairs.count += 1
    return _ESCAPED.sub("\ufffd", value)


def _whole(text: str) -> str:
    """An id without the `.0` that spreadsheets and data frames append; not one that they cut to a power of ten."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() and len(text) < 18 else text


def value_at(message: JsonObject, path: str) -> Any:
    """A value within an object, by a path such as `user.id`; a key that holds the dots itself goes first."""
    if path in message:
        return message[path]
    value: Any = message
    for key in path.split("."):
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value


def paths_of(message: JsonObject, depth: int = 3) -> list[str]:
    """The paths of an object's single values, for a person to choose from."""
    paths = []
    for key, value in message.items():
        if type(value) is dict and depth > 1:
            paths += [f"{key}.{inner}" for inner in paths_of(value, depth - 1)]
        else:
            paths.append(str(key))
    return paths
