"""Reading X API v2 objects: single posts, stream objects, pages with `includes`, compliance events.

An edit is a version of the post that its history begins with: see `x_edits`. A post that comes without `created_at` has
the time within its id, cut to the second.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post
from postrank.posts.formats import x_compliance
from postrank.posts.formats.x_edits import join_versions, versions_of
from postrank.posts.repairs import Repairs, keys_of, number_of_x, shown
from postrank.posts.times import instant, snowflake_time, to_text

Objects: TypeAlias = Mapping[str, JsonObject]
_REFERENCES = {"replied_to": "reply_to", "retweeted": "repost_of", "quoted": "quote_of"}
_NO_OBJECTS: Objects = {}
# Other objects of the API, by the keys that only they have.
_OTHERS = (
    ({"tweet_count", "start", "end"}, "a count of posts"),
    ({"media_key"}, "a medium"),
    ({"host_ids"}, "a space"),
    ({"woeid"}, "a place of trends"),
    ({"trend_name"}, "a trend"),
    ({"voting_status"}, "a poll"),
    ({"id", "username"}, "a user"),
    ({"id", "member_count"}, "a list"),
    ({"id", "owner_id"}, "a list"),
    ({"dm_conversation_id"}, "a direct message"),
    ({"id", "value", "tag"}, "a rule of the filtered stream"),
    ({"country_code"}, "a place"),
    ({"upload_url"}, "a compliance job"),
    ({"download_url"}, "a compliance job"),
)


def parse(message: JsonObject, repairs: Repairs | None = None) -> Sequence[Event | Ignored | Malformed]:
    """What an object with `data` (a post, a page of posts, a compliance event) holds, in its order."""
    repairs = repairs or Repairs()
    data = message.get("data")
    if type(data) is dict:
        if "id" not in data and (event := x_compliance.event(data)) is not None:
            return (event,)
        if "id" not in data and "rest_id" not in data and data and "text" not in data and not name_of_other(data):
            return (Malformed(f"data holds {keys_of(data)}: no response of X's API that is read"),)
        return (_outcome(data, message, repairs),)
    if type(data) is not list:
        return (Malformed(f"data is {shown(data)}, neither a post nor a list of posts"),)
    users = users_of(message, repairs)
    tweets = _included(message, "tweets", repairs)
    return [_outcome(element, message, repairs, users, tweets) for element in data] or (Ignored("empty_page"),)


def _outcome(
    data: Any, message: JsonObject, repairs: Repairs, users: Objects | None = None, tweets: Objects | None = None
) -> Event | Malformed:
    try:
        if users is None:
            users = users_of(message, repairs)
            tweets = _included(message, "tweets", repairs)
        return post(data, users, repairs, tweets or _NO_OBJECTS)
    except Malformed as malformed:
        return malformed


def users_of(message: JsonObject, repairs: Repairs | None = None) -> Objects:
    """The users of `includes`, by id; those that cannot be read are left out."""
    return _included(message, "users", repairs or Repairs())


def _included(message: JsonObject, key: str, repairs: Repairs) -> Objects:
    if not (includes := message.get("includes")):
        return _NO_OBJECTS
    included = {}
    for element in repairs.tables(repairs.table(includes).get(key)):
        if type(element.get("id")) is str:
            included[element["id"]] = element
        else:
            repairs.count += 1
    return included


def post(data: Any, users: Objects, repairs: Repairs | None = None, tweets: Objects = _NO_OBJECTS) -> Post:
    """One v2 post object; its author's names come from `users` or from its own `author`. Raises Malformed."""
    repairs = repairs or Repairs()
    if type(data) is not dict:
        raise Malformed(f"no v2 post: {shown(data)} where a post belongs")
    try:
        return _post(data, users, repairs, tweets)
    except Malformed as malformed:
        other = name_of_other(data)
        raise Malformed(f"no post but {other}" if other else f"no v2 post: {malformed}") from malformed


def name_of_other(data: JsonObject) -> str:
    """The name of the object of the API that this is, if it is no post."""
    if "text" in data or "author_id" in data:
        return ""
    return next((name for keys, name in _OTHERS if keys <= data.keys()), "")


def _post(data: JsonObject, users: Objects, repairs: Repairs, tweets: Objects) -> Post:
    own = data.get("author")
    author_id = data.get("author_id") or (own.get("id") if type(own) is dict else None)
    if author_id is None or author_id == "":
        raise Malformed("author_id is missing")
    author_id = number_of_x(author_id, "author_id")
    post_id = number_of_x(data.get("id"), "id")
    author = users.get(author_id) or repairs.table(data.get("author") or data.get("author_user"))
    note = repairs.table(data.get("note_tweet"))
    result = Post(
        network="x",
        post_id=post_id,
        author_id=author_id,
        posted_at=_posted_at(data, post_id),
        author_handle=repairs.label(author.get("username")),
        author_name=repairs.text(author.get("name")),
        text=repairs.text(note.get("text", data.get("text"))),
        lang=repairs.label(data.get("lang")),
    )
    _add_entities(result, note.get("entities") or data.get("entities"), repairs)
    for reference in repairs.tables(data.get("referenced_tweets")):
        if kind := _REFERENCES.get(str(reference.get("type"))):
            setattr(result, kind, repairs.label(reference.get("id")))
    if result.repost_of is not None and (whole := tweets.get(result.repost_of)):
        _add_whole(result, whole, repairs)
    join_versions(result, versions_of(data))
    return result


def _posted_at(data: JsonObject, post_id: str) -> str:
    if data.get("created_at") is not None:
        return instant(data["created_at"], "created_at")
    if id_time := snowflake_time(post_id):
        return to_text(id_time.replace(microsecond=0))
    raise Malformed("created_at is missing")


def _add_entities(result: Post, value: Any, repairs: Repairs) -> None:
    if not (entities := repairs.table(value)):
        return
    result.hashtags = repairs.labels(entities.get("hashtags"), lambda tag: tag["tag"])
    result.mentions = repairs.labels(entities.get("mentions"), lambda mention: mention["username"])
    result.urls = repairs.labels(entities.get("urls"), lambda url: url.get("expanded_url") or url["url"])


def _add_whole(result: Post, whole: JsonObject, repairs: Repairs) -> None:
    """A repost shows the beginning of a long post alone; its tags and links are those of all of it."""
    note = repairs.table(whole.get("note_tweet"))
    full = Post(network="x", post_id="", author_id="", posted_at="")
    _add_entities(full, note.get("entities") or whole.get("entities"), repairs)
    result.hashtags = full.hashtags or result.hashtags
    result.urls = full.urls or result.urls
