"""Activity Streams of Gnip (PowerTrack, Historical PowerTrack): posts of X in their older enterprise form."""

from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post, Tombstone
from postrank.posts.formats.x_edits import join_versions, versions_of
from postrank.posts.formats.x_v1 import add_media
from postrank.posts.repairs import Repairs, number_of_x, table_of
from postrank.posts.times import instant

# The fields of an activity (Gnip, "Activity Streams format").
_FIELDS = frozenset(
    "actor body display_text_range edit_control edit_history edit_history_tweet_ids edit_info favoritesCount "
    "generator geo gnip id inReplyTo link location long_object object objectType postedTime provider retweetCount "
    "twitterTimestampMs twitter_entities twitter_extended_entities twitter_filter_level twitter_lang "
    "twitter_place_name twitter_quoted_status twitter_quoted_status_permalink verb quoteCount replyCount".split()
)
_INFO = frozenset(("info", "error", "warn"))


def is_activity(message: JsonObject) -> bool:
    """Whether the object is an activity."""
    return message.get("objectType") == "activity" and "verb" in message


def is_info(message: JsonObject) -> bool:
    """Whether the object is what ends a file of Gnip: how many activities it holds."""
    return len(message) == 1 and bool(_INFO & message.keys()) and type(next(iter(message.values()))) is dict


def activity(message: JsonObject, repairs: Repairs) -> Event | Ignored:
    """An activity. Raises Malformed."""
    verb = message["verb"]
    if verb == "delete":
        target = table_of(message.get("object"), "object")
        return Tombstone(network="x", post_id=_number(target.get("id"), "object.id"))
    if verb not in ("post", "share"):
        return Ignored(f"gnip_{str(verb)[:32]}")
    actor = table_of(message.get("actor"), "actor")
    target = repairs.table(message.get("object"))
    long = repairs.table(message.get("long_object"))
    post = Post(
        network="x",
        post_id=_number(message.get("id"), "id"),
        author_id=_number(actor.get("id"), "actor.id"),
        posted_at=instant(message.get("postedTime"), "postedTime"),
        author_handle=repairs.label(actor.get("preferredUsername")),
        author_name=repairs.text(actor.get("displayName")),
        text=repairs.text(long.get("body") or message.get("body")),
        lang=repairs.label(message.get("twitter_lang")),
        source_app=repairs.text(repairs.table(message.get("generator")).get("displayName")) or None,
        place=repairs.text(repairs.table(message.get("location")).get("displayName")) or None,
    )
    repairs.note_fields(message, _FIELDS, "gnip")
    if tags := repairs.tables(repairs.table(message.get("gnip")).get("matching_rules")):
        post.tags = repairs.labels([rule.get("tag") for rule in tags if rule.get("tag")])
    entities = long.get("twitter_extended_entities") or message.get("twitter_extended_entities")
    add_media(post, repairs.table(entities), repairs)
    whole = repairs.table(target.get("long_object")) if verb == "share" else long
    _add_entities(post, repairs.table(whole.get("twitter_entities") or message.get("twitter_entities")), repairs)
    if reply := repairs.table(message.get("inReplyTo")):
        post.reply_to = _last(reply.get("link"))
    if verb == "share":
        post.repost_of = _last_number(target.get("id"))
        post.repost_of_author = _last_number(repairs.table(target.get("actor")).get("id"))
    if quoted := repairs.table(message.get("twitter_quoted_status")):
        post.quote_of = _last_number(quoted.get("id"))
        post.quote_of_author = _last_number(repairs.table(quoted.get("actor")).get("id"))
    join_versions(post, versions_of(message))
    return post


def _add_entities(post: Post, entities: JsonObject, repairs: Repairs) -> None:
    post.hashtags = repairs.labels(entities.get("hashtags"), lambda tag: tag["text"])
    post.mentions = repairs.labels(entities.get("user_mentions"), lambda mention: mention["screen_name"])
    post.urls = repairs.labels(entities.get("urls"), lambda url: url.get("expanded_url") or url["url"])


def _number(value: Any, field: str) -> str:
    """`tag:search.twitter.com,2005:1160000000000000001` and `id:twitter.com:1001` end in the id."""
    return number_of_x(value.rpartition(":")[2] if type(value) is str else value, field)


def _last_number(value: Any) -> str | None:
    try:
        return _number(value, "id")
    except Malformed:
        return None


def _last(link: Any) -> str | None:
    return link.rpartition("/")[2] or None if type(link) is str else None
