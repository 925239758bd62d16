"""Reading Twitter API v1.1 objects, as archives of its streams keep them: posts, delete notices, other notices.

`posted_at` is `timestamp_ms` where an object has it and `created_at` (whole seconds) where not; the time within the id,
which differs from both, only where neither can be read. `timestamp_ms` came with the streams of late 2013.

Edits (since 2022) are posts with ids of their own; `edit_history` names all versions. They are one post here: see
`x_edits`.
"""

import re

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed, Post, Tombstone
from postrank.posts.formats import x_users
from postrank.posts.formats.x_edits import join_versions, versions_of
from postrank.posts.repairs import Repairs, first_text, number_of_x, table_of, without_repeats
from postrank.posts.times import from_milliseconds, parse_x_v1, snowflake_time, to_text

# Streaming message types (Twitter developer documentation, "Streaming message types", v1.1).
NOTICES = frozenset(
    "limit disconnect warning scrub_geo status_withheld user_withheld friends friends_str event for_user control "
    "direct_message user_undelete user_unprotect user_unsuspend".split()
)
# The fields of a post in both of its forms (Twitter developer documentation, "Tweet object", v1.1).
_FIELDS = frozenset(
    "contributors coordinates created_at current_user_retweet display_text_range edit_controls edit_history editable "
    "entities extended_entities extended_tweet favorite_count favorited filter_level full_text geo id id_str "
    "in_reply_to_screen_name in_reply_to_status_id in_reply_to_status_id_str in_reply_to_user_id "
    "in_reply_to_user_id_str is_quote_status lang matching_rules metadata place possibly_sensitive "
    "possibly_sensitive_appealable quote_count quoted_status quoted_status_id quoted_status_id_str "
    "quoted_status_permalink reply_count retweet_count retweeted retweeted_status scopes source text timestamp_ms "
    "truncated user withheld_copyright withheld_in_countries withheld_scope card counts conversation_id "
    "conversation_id_str self_thread limited_actions supplemental_language previous_counts edit_control edit_info "
    "edit_history_tweet_ids".split()
)
_TAGS = re.compile(r"<[^<>]*>")
_LISTS = frozenset(("friends", "friends_str"))
_EVENT = frozenset(("event", "source", "target", "target_object", "created_at"))


def is_post(message: JsonObject) -> bool:
    """Whether the object has the marks of a v1.1 post."""
    return type(message.get("user")) is dict and ("id_str" in message or "id" in message) and "account" not in message


def parse(message: JsonObject, repairs: Repairs | None = None) -> Post:
    """A v1.1 post. Raises Malformed."""
    repairs = repairs or Repairs()
    user = table_of(message.get("user"), "user")
    post_id = _id(message, "id")
    extended = repairs.table(message.get("extended_tweet")) or message
    entities = repairs.table(extended.get("entities"))
    post = Post(
        network="x",
        post_id=post_id,
        author_id=_id(user, "user.id"),
        posted_at=_posted_at(message, post_id, repairs),
        author_handle=repairs.label(user.get("screen_name")),
        author_name=repairs.text(user.get("name")),
        text=repairs.text(first_text(extended.get("full_text"), message.get("full_text")) or message.get("text")),
        lang=repairs.label(message.get("lang")),
        reply_to=repairs.label(message.get("in_reply_to_status_id_str") or message.get("in_reply_to_status_id")),
        quote_of=repairs.label(message.get("quoted_status_id_str") or message.get("quoted_status_id")),
        reply_to_author=repairs.label(message.get("in_reply_to_user_id_str") or message.get("in_reply_to_user_id")),
        conversation_id=repairs.label(message.get("conversation_id_str")),
        source_app=_app(repairs.text(message.get("source"))),
        sensitive=repairs.flag(message.get("possibly_sensitive")),
        place=repairs.text(repairs.table(message.get("place")).get("full_name")) or None,
    )
    repairs.note_fields(message, _FIELDS, "x_v1")
    if quoted := repairs.table(message.get("quoted_status")):
        post.quote_of_author = _author_of(quoted, repairs)
    add_media(post, extended.get("extended_entities") or entities, repairs)
    _add_entities(post, entities, repairs)
    if repost := repairs.table(message.get("retweeted_status")):
        _add_repost(post, repost, repairs)
    join_versions(post, versions_of(message))
    return post


def parse_delete(message: JsonObject) -> Event:
    """A v1.1 delete notice: `{"delete": {"status": {"id_str": ..., "user_id_str": ...}}}`. Raises Malformed."""
    status = table_of(table_of(message["delete"], "delete").get("status"), "delete.status")
    author = status.get("user_id_str") or status.get("user_id")
    return Tombstone(
        network="x",
        post_id=_id(status, "delete.status.id"),
        author_id=str(author) if type(author) in (str, int) else None,
    )


def notice(message: JsonObject) -> Event | Ignored | Malformed | None:
    """What the object says, if it is a notice by all of its shape: mostly nothing to us, or that a user left."""
    if "event" in message and message.keys() <= _EVENT and type(message["event"]) is str:
        return Ignored("event")
    if len(message) != 1:
        return None
    ((kind, body),) = message.items()
    if kind in x_users.GONE:
        return x_users.gone(body)
    if kind in NOTICES and type(body) is (list if kind in _LISTS else dict):
        return Ignored(kind)
    return None


def _posted_at(message: JsonObject, post_id: str, repairs: Repairs) -> str:
    problem = Malformed("created_at is missing")
    stamp = message.get("timestamp_ms")
    if stamp is not None:
        try:
            return from_milliseconds(stamp, "timestamp_ms")
        except Malformed as malformed:
            problem = malformed
            repairs.count += 1
    created = message.get("created_at")
    if created is not None:
        try:
            return parse_x_v1(created)
        except (Malformed, TypeError) as error:
            problem = error if isinstance(error, Malformed) else Malformed("created_at is no instant of API v1.1")
    if stamp is None and created is None and (id_time := snowflake_time(post_id)):
        repairs.count += 1
        return to_text(id_time.replace(microsecond=0))
    raise problem


def _add_entities(post: Post, entities: JsonObject, repairs: Repairs) -> None:
    post.hashtags = repairs.labels(entities.get("hashtags"), lambda tag: tag["text"])
    post.mentions = repairs.labels(entities.get("user_mentions"), lambda mention: mention["screen_name"])
    post.urls = repairs.labels(entities.get("urls"), lambda url: url.get("expanded_url") or url["url"])


def _add_repost(post: Post, repost: JsonObject, repairs: Repairs) -> None:
    """A repost shows the beginning of a long post alone; its tags and links are those of all of it."""
    post.repost_of = repairs.label(repost.get("id_str") or repost.get("id"))
    post.repost_of_author = _author_of(repost, repairs)
    whole = repairs.table(repost.get("extended_tweet")) or (repost if "full_text" in repost else {})
    if not whole:
        return
    full = Post(network="x", post_id="", author_id="", posted_at="")
    _add_entities(full, repairs.table(whole.get("entities")), repairs)
    post.hashtags = full.hashtags or post.hashtags
    post.urls = full.urls or post.urls
    post.mentions = without_repeats(post.mentions, full.mentions)


def add_media(post: Post, entities: JsonObject, repairs: Repairs) -> None:
    """The media of `extended_entities`, with the URL of the picture or of a video's preview."""
    media = [(repairs.label(medium.get("type")), medium) for medium in repairs.tables(entities.get("media"))]
    post.media_kinds = [kind for kind, _ in media if kind] or None
    if post.media_kinds:
        post.media_urls = [repairs.text(medium.get("media_url_https")) or "" for kind, medium in media if kind]


def _author_of(message: JsonObject, repairs: Repairs) -> str | None:
    user = repairs.table(message.get("user"))
    return repairs.label(user.get("id_str") or user.get("id"))


def _app(source: str | None) -> str | None:
    """The name within the anchor that `source` is."""
    return _TAGS.sub("", source or "").strip() or None


def _id(body: JsonObject, field: str) -> str:
    return number_of_x(body.get("id_str") or body.get("id"), field)
