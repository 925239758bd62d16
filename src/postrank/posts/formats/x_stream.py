"""The plain case of X's filtered stream, read in one pass: a stream object with a post and its author.

Most lines of a stream look like this, and decoding them straight into the few fields that are used takes half the time
of building the whole document. Whatever does not fit the types below (a long post, an edit, a page, anything wrong) is
left to `x_v2`, which knows every form and says what is wrong; for what does fit, both give the same post.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from postrank.posts.events import Post
from postrank.posts.times import instant

Text: TypeAlias = Annotated[str, Meta(min_length=1)]


class _Tag(Struct, gc=False):
    tag: Text


class _Mention(Struct, gc=False):
    username: Text
    start: int | None = None
    id: Text | None = None


class _Url(Struct, gc=False):
    url: Text
    expanded_url: Text | None = None


class _Entities(Struct, gc=False):
    hashtags: list[_Tag] | None = None
    mentions: list[_Mention] | None = None
    urls: list[_Url] | None = None


class _Reference(Struct, gc=False):
    type: str
    id: Text


Unread: TypeAlias = msgspec.Raw | UnsetType


class _Rule(Struct, gc=False):
    tag: str | None = None


class _Data(Struct, gc=False, forbid_unknown_fields=True):
    id: Text
    author_id: Text
    created_at: str
    text: str | None = None
    lang: Text | None = None
    entities: _Entities | None = None
    referenced_tweets: list[_Reference] | None = None
    edit_history_tweet_ids: Annotated[list[Text], Meta(max_length=1)] | None = None  # more: an edit
    note_tweet: UnsetType = UNSET  # a long post
    attachments: UnsetType = UNSET  # media, whose URLs are elsewhere
    geo: Unread = UNSET
    conversation_id: Text | None = None
    in_reply_to_user_id: Text | None = None
    possibly_sensitive: bool | None = None
    source: str | None = None
    context_annotations: Unread = UNSET
    edit_controls: Unread = UNSET
    public_metrics: Unread = UNSET
    reply_settings: Unread = UNSET
    withheld: Unread = UNSET
    display_text_range: Unread = UNSET


class _User(Struct, gc=False):
    id: str
    username: Text | None = None
    name: str | None = None


class _Includes(Struct, gc=False):
    users: list[_User]
    places: UnsetType = UNSET  # the names of places, which posts refer to
    tweets: msgspec.Raw | UnsetType = UNSET


class _Message(Struct, gc=False):
    data: _Data
    includes: _Includes
    matching_rules: list[_Rule] | None = None
    kind: UnsetType = UNSET  # a record of our own


REPOSTED_AT = 3  # where the handle of the reposted author begins in a repost's text: "RT @"
_BEGINNING = b'{"data":'
_decode = msgspec.json.Decoder(_Message).decode


def stream_post(line: bytes) -> Post | None:
    """The post of a stream object; None where `x_v2` has to look at it."""
    if not line.startswith(_BEGINNING):
        return None
    try:
        message = _decode(line)
        data = message.data
        if not _is_plain(message):
            return None
        post = Post(
            network="x",
            post_id=data.id,
            author_id=data.author_id,
            posted_at=instant(data.created_at, "created_at"),
            text=data.text,
            lang=data.lang,
            conversation_id=data.conversation_id,
            reply_to_author=data.in_reply_to_user_id,
            source_app=data.source or None,
            sensitive=data.possibly_sensitive,
        )
    except (ValueError, RecursionError):  # msgspec's errors and Malformed are ValueErrors
        return None
    for user in message.includes.users:
        if user.id == data.author_id:
            post.author_handle = user.username
            post.author_name = user.name
            break
    else:
        return None
    if data.entities is not None:
        _add_entities(post, data.entities)
    if message.matching_rules:
        post.tags = list(dict.fromkeys(rule.tag for rule in message.matching_rules if rule.tag)) or None
    return post if _add_references(post, message) else None


def _is_plain(message: _Message) -> bool:
    """Whether the ids are X's, and the post is its own first version."""
    data = message.data
    history = data.edit_history_tweet_ids
    ids = data.id + data.author_id
    return ids.isdecimal() and ids.isascii() and (not history or history[0] == data.id)


def _add_references(post: Post, message: _Message) -> bool:
    """False where a whole post is there besides, whose tags are those of its repost."""
    for reference in message.data.referenced_tweets or ():
        if reference.type == "replied_to":
            post.reply_to = reference.id
        elif reference.type == "retweeted":
            if message.includes.tweets is not UNSET:
                return False
            post.repost_of = reference.id
            post.repost_of_author = _reposted_author(message.data.entities)
        elif reference.type == "quoted":
            post.quote_of = reference.id
    return True


def _reposted_author(entities: _Entities | None) -> str | None:
    """The id in the mention with which a repost begins ("RT @name: ...")."""
    for mention in (entities.mentions if entities is not None else None) or ():
        if mention.start == REPOSTED_AT:
            return mention.id
    return None


def _add_entities(post: Post, entities: _Entities) -> None:
    if entities.hashtags:
        post.hashtags = [tag.tag for tag in entities.hashtags]
    if entities.mentions:
        post.mentions = [mention.username for mention in entities.mentions]
    if entities.urls:
        post.urls = [url.expanded_url or url.url for url in entities.urls]
