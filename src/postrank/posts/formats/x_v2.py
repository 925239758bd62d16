"""Reading X API v2 objects: single posts, stream objects, pages with `includes`, compliance events.

Edits: on X every edit is a post with an id of its own, whose `edit_history_tweet_ids` starts with the first version's
id. Here an edit has that first id as `post_id`, its kind is `edit`, and `posted_at` is the first version's: the time
within the first id, cut to the second, as `created_at` is. So an edit never moves a post to another minute, and never
counts as a second post. A post that comes without `created_at` has the time of its id in the same way.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post
from postrank.posts.formats import x_compliance
from postrank.posts.times import instant, snowflake_time, to_text

Users: TypeAlias = Mapping[str, JsonObject]
_REFERENCES = {"replied_to": "reply_to", "retweeted": "repost_of", "quoted": "quote_of"}
_NOBODY: JsonObject = {}
_TEXT = (str, type(None))


def parse(message: JsonObject) -> Sequence[Event | Ignored | Malformed]:
    """What an object with `data` (a post, a page of posts, a compliance event) holds, in its order."""
    data = message.get("data")
    try:
        if type(data) is dict:
            return (post(data, users_of(message)) if "id" in data else x_compliance.event(data),)
        users = users_of(message)
    except Malformed as malformed:
        return (malformed,)
    if type(data) is not list:
        return (Malformed("data is neither a post nor a list of posts"),)
    return [_outcome(one, users) for one in data] or (Ignored("empty_page"),)


def _outcome(data: Any, users: Users) -> Event | Malformed:
    try:
        return post(data, users)
    except Malformed as malformed:
        return malformed


def users_of(message: JsonObject) -> Users:
    """The users of `includes`, by id. Raises Malformed."""
    try:
        includes = message.get("includes")
        return {user["id"]: user for user in includes.get("users") or ()} if includes else {}
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"includes.users cannot be read: {_where(error)}") from error


def post(data: Any, users: Users) -> Post:
    """One v2 post object; its author's names come from `users` or from its own `author`. Raises Malformed."""
    try:
        author_id = data.get("author_id") or data["author"]["id"]
        author = users.get(author_id) or data.get("author") or _NOBODY
        note = data.get("note_tweet") or data
        post_id, handle, name = data["id"], author.get("username"), author.get("name")
        text, lang = note.get("text"), data.get("lang")
        if not (type(post_id) is type(author_id) is str and post_id and author_id):
            raise Malformed("no v2 post: id or author_id is not text")
        if not (type(handle) in _TEXT and type(name) in _TEXT and type(text) in _TEXT and type(lang) in _TEXT):
            raise Malformed("no v2 post: username, name, text or lang is not text")
        result = Post(
            network="x",
            post_id=post_id,
            author_id=author_id,
            posted_at=instant(data["created_at"], "created_at") if "created_at" in data else _made_at(post_id),
            author_handle=handle,
            author_name=name,
            text=text,
            lang=lang,
        )
        _add_details(result, data, note)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"no v2 post: {_where(error)}") from error
    return result


def _add_details(result: Post, data: JsonObject, note: JsonObject) -> None:
    if entities := note.get("entities") or data.get("entities"):
        _entities(result, entities)
    if references := data.get("referenced_tweets"):
        _references(result, references)
    history = data.get("edit_history_tweet_ids")
    if history and len(history) > 1 and history[0] != result.post_id:
        _edit(result, history)


def _references(result: Post, references: Sequence[JsonObject]) -> None:
    for reference in references:
        if kind := _REFERENCES.get(reference["type"]):
            setattr(result, kind, _known(reference["id"]))


def _entities(result: Post, entities: JsonObject) -> None:
    if hashtags := entities.get("hashtags"):
        result.hashtags = [_known(tag["tag"]) for tag in hashtags]
    if mentions := entities.get("mentions"):
        result.mentions = [_known(one["username"]) for one in mentions]
    if urls := entities.get("urls"):
        result.urls = [_known(url.get("expanded_url") or url["url"]) for url in urls]


def _edit(result: Post, history: Sequence[Any]) -> None:
    result.kind, result.post_id = "edit", _known(history[0])
    with suppress(KeyError):  # an id without a time: the edit's own time is the best that is known
        result.posted_at = _made_at(result.post_id)


def _made_at(post_id: str) -> str:
    """The time within an id, cut to the second. Raises KeyError for one that carries none."""
    if first := snowflake_time(post_id):
        return to_text(first.replace(microsecond=0))
    raise KeyError("created_at")


def _known(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise TypeError(f"{type(value).__name__} where text belongs")


def _where(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
