"""The events that sources yield (posts, likes, tombstones, requests of a log, ...), and what becomes of other lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from msgspec import Struct

LINE_LIMIT = 4096  # bytes of a rejected line that are kept


# The event types are structs that know how to become JSON (`posts.encoding`); there are millions of them, and they
# hold nothing that could make a cycle, so the garbage collector need not look at them.
class Post(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One public post, or a newer version of one, in the shape that every source must produce."""

    kind: Literal["post", "edit", "repost"] = "post"  # repost: a record that says nothing but `repost_of`
    network: str  # "x", "mastodon:<host>", "bluesky", ...
    post_id: str  # unique within its network; an edit has the id of the post that it changes
    author_id: str
    posted_at: str  # the contract's form, whose order is that of time; of an edit: when the post was first written
    author_handle: str | None = None
    author_name: str | None = None
    text: str | None = None
    lang: str | None = None
    hashtags: list[str] | None = None  # as written, without "#"
    mentions: list[str] | None = None  # handles, without "@"
    urls: list[str] | None = None
    reply_to: str | None = None  # post ids
    repost_of: str | None = None
    quote_of: str | None = None
    versions: list[str] | None = None  # ids of all versions of an edited post that are known, the first one first
    conversation_id: str | None = None  # id of the post that the thread begins with
    reply_to_author: str | None = None  # author ids
    repost_of_author: str | None = None
    quote_of_author: str | None = None
    media_kinds: list[str] | None = None  # the network's words; of the same length as `media_urls`
    media_urls: list[str] | None = None  # "" where the network gives no URL
    place: str | None = None  # the network's name of it
    source_app: str | None = None  # the program that it was written with
    sensitive: bool | None = None
    uri: str | None = None  # of Mastodon: the same on every instance that shows the post
    visibility: str | None = None  # of Mastodon: public, unlisted, private, direct
    tags: list[str] | None = None  # of the rules or filters by which the collector got it
    source_cursor: str | None = None  # where in the source's stream it was


class Like(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A like of a post, by `author_id`. A tombstone of its `post_id` withdraws it."""

    network: str
    post_id: str  # of the like itself
    author_id: str
    posted_at: str
    like_of: str
    like_of_author: str | None = None
    source_cursor: str | None = None


class Metrics(Struct, kw_only=True, omit_defaults=True, gc=False):
    """An observation: what a network said at a moment of how often a post was liked and so on, or of an author."""

    network: str
    post_id: str  # of an author's observation: author:<author_id>
    author_id: str | None = None
    posted_at: str  # the moment of the observation
    like_count: int | None = None
    repost_count: int | None = None
    reply_count: int | None = None
    quote_count: int | None = None
    view_count: int | None = None
    follower_count: int | None = None
    following_count: int | None = None
    post_count: int | None = None
    source_cursor: str | None = None

    @classmethod
    def of_post(
        cls, network: str, post_id: str, author_id: str | None, at: str, counts: Mapping[str, int]
    ) -> "Metrics":
        """An observation of a post at a moment (in the contract's form)."""
        return cls(network=network, post_id=post_id, author_id=author_id, posted_at=at, source_cursor=None, **counts)

    @classmethod
    def of_author(cls, network: str, author_id: str, at: str, counts: Mapping[str, int]) -> "Metrics":
        """An observation of an author at a moment (in the contract's form)."""
        return cls.of_post(network, f"author:{author_id}", author_id, at, counts)


class Log(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One request that a web server logged: who asked for what, and what was answered."""

    network: str  # the log's name, as its source is configured
    post_id: str  # the line's place in its file: unique within its network
    posted_at: str  # when the request was received
    host: str  # the client's address or name
    user_name: str | None = None
    method: str | None = None
    path: str | None = None  # with its query; the whole request line where it has no method
    status: int | None = None
    bytes: int | None = None  # of the response's body
    referrer: str | None = None
    agent: str | None = None
    source_cursor: str | None = None

    @property
    def author_id(self) -> str:
        """The host, by which lines of a log are spread and kept in order."""
        return self.host


class Tombstone(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A delete: the post is to be forgotten, whether or not it was ever seen.

    An author's tombstone has the `post_id` `author:<author_id>`: all that he posted up to `posted_at` is to go.
    """

    network: str
    post_id: str
    author_id: str | None = None
    posted_at: str | None = None  # of an author's tombstone: the last moment that it covers
    source_cursor: str | None = None

    @classmethod
    def of_author(cls, network: str, author_id: str, at: str | None) -> "Tombstone":
        """The tombstone of everything that an author posted up to a moment (in the contract's form)."""
        return cls(network=network, post_id=f"author:{author_id}", author_id=author_id, posted_at=at)


Event: TypeAlias = Post | Like | Metrics | Log | Tombstone


@dataclass(slots=True, frozen=True, kw_only=True)
class Reject:
    """A line that breaks the data contract, with the reason; it goes to the ledger of rejects."""

    reason: str
    line: bytes  # cut at LINE_LIMIT bytes
    where: str  # the file, connection or stream that it came from
    offset: int | None = None  # of its first byte, in the decompressed bytes of `where`
    posts: int = 1  # how many posts are lost with it
    at_least: bool = False  # more may be lost

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", bytes(self.line[:LINE_LIMIT]))


class Malformed(ValueError):
    """A message breaks the data contract; the text is the reason. Parsers raise it, sources turn it into a Reject."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Notice:
    """What a network asks of whoever keeps a post, and no event can say; a row of the ledger of notices."""

    kind: str  # the network's word
    post_id: str | None
    author_id: str | None
    about: str  # countries, the id of the newest version
    at: str | None  # when, in the contract's form


@dataclass(slots=True, frozen=True)
class Ignored:
    """A well-formed message that is no event (a notice, a keep-alive); counted by `kind`, not rejected."""

    kind: str
    notice: Notice | None = None
