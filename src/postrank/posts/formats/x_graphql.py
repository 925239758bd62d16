"""Posts of X as its web client sees them: captures of Zeeschuimer, data sets of 4CAT, dumps of scrapers.

`rest_id` is the post's id, `core.user_results` its author, `legacy` most of the rest.
"""

from postrank.documents import JsonObject
from postrank.posts.events import Malformed, Post
from postrank.posts.formats.x_edits import join_versions, versions_of
from postrank.posts.formats.x_v1 import add_media
from postrank.posts.repairs import Repairs, number_of_x, table_of
from postrank.posts.times import instant_of_any_form

# The fields of `legacy`, as captures of the web client have them.
_FIELDS = frozenset(
    "bookmark_count bookmarked conversation_control conversation_id_str created_at display_text_range entities "
    "extended_entities favorite_count favorited full_text id_str in_reply_to_screen_name in_reply_to_status_id_str "
    "in_reply_to_user_id_str is_quote_status lang limited_actions place possibly_sensitive possibly_sensitive_editable "
    "quote_count quoted_status_id_str quoted_status_permalink reply_count retweet_count retweeted "
    "retweeted_status_result scopes self_thread user_id_str withheld_copyright withheld_in_countries "
    "withheld_scope source card".split()
)
_WITH_VISIBILITY = "TweetWithVisibilityResults"


def unwrapped(message: JsonObject) -> JsonObject:
    """A post out of what says who may see it."""
    inner = message.get("tweet")
    return inner if message.get("__typename") == _WITH_VISIBILITY and type(inner) is dict else message


def is_post(message: JsonObject) -> bool:
    """Whether the object is a post of the web client."""
    message = unwrapped(message)
    return "rest_id" in message and type(message.get("legacy")) is dict and "core" in message


def parse(message: JsonObject, repairs: Repairs) -> Post:
    """A post. Raises Malformed."""
    message = unwrapped(message)
    legacy = table_of(message.get("legacy"), "legacy")
    user = _user(table_of(message.get("core"), "core"))
    details = repairs.table(user.get("legacy"))
    core = repairs.table(user.get("core"))
    note = repairs.table(
        repairs.table(repairs.table(message.get("note_tweet")).get("note_tweet_results")).get("result")
    )
    post = Post(
        network="x",
        post_id=number_of_x(message.get("rest_id") or legacy.get("id_str"), "rest_id"),
        author_id=number_of_x(user.get("rest_id") or legacy.get("user_id_str"), "core.user_results.result.rest_id"),
        posted_at=instant_of_any_form(legacy.get("created_at"), "legacy.created_at"),
        author_handle=repairs.label(core.get("screen_name") or details.get("screen_name")),
        author_name=repairs.text(core.get("name") or details.get("name")),
        text=repairs.text(note.get("text") or legacy.get("full_text")),
        lang=repairs.label(legacy.get("lang")),
        reply_to=repairs.label(legacy.get("in_reply_to_status_id_str")),
        quote_of=repairs.label(legacy.get("quoted_status_id_str")),
        conversation_id=repairs.label(legacy.get("conversation_id_str")),
        reply_to_author=repairs.label(legacy.get("in_reply_to_user_id_str")),
        sensitive=repairs.flag(legacy.get("possibly_sensitive")),
    )
    repairs.note_fields(legacy, _FIELDS, "x_web")
    if quoted := repairs.table(repairs.table(message.get("quoted_status_result")).get("result")):
        post.quote_of_author = _author_of(unwrapped(quoted), repairs)
    add_media(post, repairs.table(legacy.get("extended_entities")), repairs)
    entities = repairs.table(note.get("entity_set") or legacy.get("entities"))
    if repost := repairs.table(repairs.table(legacy.get("retweeted_status_result")).get("result")):
        original = unwrapped(repost)
        post.repost_of = repairs.label(original.get("rest_id"))
        post.repost_of_author = _author_of(original, repairs)
        entities = repairs.table(repairs.table(original.get("legacy")).get("entities")) or entities
    post.hashtags = repairs.labels(entities.get("hashtags"), lambda tag: tag["text"])
    post.mentions = repairs.labels(entities.get("user_mentions"), lambda mention: mention["screen_name"])
    post.urls = repairs.labels(entities.get("urls"), lambda url: url.get("expanded_url") or url["url"])
    join_versions(post, versions_of(message))
    return post


def _author_of(message: JsonObject, repairs: Repairs) -> str | None:
    """The id of a post's author, where the post tells it."""
    core = repairs.table(message.get("core"))
    result = repairs.table(repairs.table(core.get("user_results") or core.get("user_result")).get("result"))
    return repairs.label(result.get("rest_id"))


def _user(core: JsonObject) -> JsonObject:
    results = core.get("user_results") or core.get("user_result")
    result = results.get("result") if type(results) is dict else None
    if type(result) is dict:
        return result
    raise Malformed("core.user_results.result is missing")
