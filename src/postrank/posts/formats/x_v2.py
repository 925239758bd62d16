"""Reading X API v2 objects: single posts, stream objects, pages with `includes`, compliance events.

An edit is a version of the post that its history begins with: see `x_edits`. A post that comes without `created_at` has
the time within its id, cut to the second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post
from postrank.posts.formats import x_compliance
from postrank.posts.formats.x_edits import join_versions, versions_of
from postrank.posts.formats.x_stream import REPOSTED_AT
from postrank.posts.repairs import Repairs, keys_of, number_of_x, shown
from postrank.posts.times import instant, snowflake_time, to_text

Objects: TypeAlias = Mapping[str, JsonObject]
_REFERENCES = {"replied_to": "reply_to", "retweeted": "repost_of", "quoted": "quote_of"}
_AUTHORS = {"reply_to": "reply_to_author", "repost_of": "repost_of_author", "quote_of": "quote_of_author"}
_NO_OBJECTS: Objects = {}
# The fields of a post (X API v2, "Post object"), and those that programs which flatten pages add.
_FIELDS = frozenset(
    "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata "
    "non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics public_metrics "
    "referenced_tweets reply_settings scopes source suggested_source_links suggested_source_links_with_counts text "
    "username withheld author author_user in_reply_to_user matching_rules __twarc".split()
)
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
        return (_outcome(data, Included.of(message, repairs), message, repairs),)
    if type(data) is not list:
        return (Malformed(f"data is {shown(data)}, neither a post nor a list of posts"),)
    included = Included.of(message, repairs)
    return [_outcome(element, included, message, repairs) for element in data] or (Ignored("empty_page"),)


def _outcome(data: Any, included: "Included", message: JsonObject, repairs: Repairs) -> Event | Malformed:
    try:
        result = post(data, included.users, repairs, included)
    except Malformed as malformed:
        return malformed
    if (rules := message.get("matching_rules")) and type(message.get("data")) is dict:
        result.tags = _tags_of(rules, repairs)
    return result


def users_of(message: JsonObject, repairs: Repairs | None = None) -> Objects:
    """The users of `includes`, by id; those that cannot be read are left out."""
    return _included(message, "users", repairs or Repairs())


def _included(message: JsonObject, key: str, repairs: Repairs, identity: str = "id") -> Objects:
    if not (includes := message.get("includes")):
        return _NO_OBJECTS
    included = {}
    for element in repairs.tables(repairs.table(includes).get(key)):
        if type(element.get(identity)) is str:
            included[element[identity]] = element
        else:
            repairs.count += 1
    return included


@dataclass(frozen=True, slots=True)
class Included:
    """The objects of `includes`, each kind by id."""

    users: Objects = field(default_factory=dict)
    tweets: Objects = field(default_factory=dict)
    media: Objects = field(default_factory=dict)
    places: Objects = field(default_factory=dict)

    @classmethod
    def of(cls, message: JsonObject, repairs: Repairs) -> Self:
        """Those that cannot be read are left out and counted."""
        return cls(
            users=users_of(message, repairs),
            tweets=_included(message, "tweets", repairs),
            media=_included(message, "media", repairs, "media_key"),
            places=_included(message, "places", repairs),
        )


def post(data: Any, users: Objects, repairs: Repairs | None = None, included: Included | None = None) -> Post:
    """One v2 post object; its author's names come from `users` or from its own `author`. Raises Malformed."""
    repairs = repairs or Repairs()
    if type(data) is not dict:
        raise Malformed(f"no v2 post: {shown(data)} where a post belongs")
    try:
        return _post(data, users, repairs, included or Included())
    except Malformed as malformed:
        other = name_of_other(data)
        raise Malformed(f"no post but {other}" if other else f"no v2 post: {malformed}") from malformed


def name_of_other(data: JsonObject) -> str:
    """The name of the object of the API that this is, if it is no post."""
    if "text" in data or "author_id" in data:
        return ""
    return next((name for keys, name in _OTHERS if keys <= data.keys()), "")


def _post(data: JsonObject, users: Objects, repairs: Repairs, included: Included) -> Post:
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
        conversation_id=repairs.label(data.get("conversation_id")),
        reply_to_author=repairs.label(data.get("in_reply_to_user_id")),
        source_app=repairs.text(data.get("source")) or None,
        sensitive=repairs.flag(data.get("possibly_sensitive")),
    )
    repairs.note_fields(data, _FIELDS, "x")
    _add_entities(result, note.get("entities") or data.get("entities"), repairs)
    for reference in repairs.tables(data.get("referenced_tweets")):
        if kind := _REFERENCES.get(str(reference.get("type"))):
            setattr(result, kind, repairs.label(reference.get("id")))
            if author_id := reference.get("author_id"):  # of a post that a program put in the place of its reference
                setattr(result, _AUTHORS[kind], repairs.label(author_id))
    if result.repost_of is not None:
        result.repost_of_author = result.repost_of_author or _reposted_author(data, repairs)
        if whole := included.tweets.get(result.repost_of):
            result.repost_of_author = repairs.label(whole.get("author_id")) or result.repost_of_author
            _add_whole(result, whole, repairs)
    if result.quote_of is not None and (whole := included.tweets.get(result.quote_of)):
        result.quote_of_author = repairs.label(whole.get("author_id"))
    _add_media(result, data, included, repairs)
    if included.places and (place := included.places.get(str(repairs.table(data.get("geo")).get("place_id")))):
        result.place = repairs.text(place.get("full_name")) or None
    join_versions(result, versions_of(data))
    return result


def _reposted_author(data: JsonObject, repairs: Repairs) -> str | None:
    """The id in the mention with which a repost begins ("RT @name: ...")."""
    for mention in repairs.tables(repairs.table(data.get("entities")).get("mentions")):
        if mention.get("start") == REPOSTED_AT:
            return repairs.label(mention.get("id"))
    return None


def _tags_of(rules: object, repairs: Repairs) -> list[str] | None:
    """The tags of the rules that a post of the filtered stream met, each once."""
    tags = (repairs.text(rule.get("tag")) for rule in repairs.tables(rules))
    return list(dict.fromkeys(tag for tag in tags if tag)) or None


def _add_media(result: Post, data: JsonObject, included: Included, repairs: Repairs) -> None:
    keys = repairs.table(data.get("attachments")).get("media_keys")
    media = [included.media[key] for key in repairs.labels(keys) or () if key in included.media]
    kinds = [(repairs.label(medium.get("type")), medium) for medium in media]
    result.media_kinds = [kind for kind, _ in kinds if kind] or None
    if result.media_kinds:
        urls = (medium.get("url") or medium.get("preview_image_url") for kind, medium in kinds if kind)
        result.media_urls = [repairs.text(url) or "" for url in urls]


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
