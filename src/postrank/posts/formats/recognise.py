"""What a decoded object is, by all of its shape, and the events in it.

An object is what its whole shape says. What merely shares a key with a known shape is a reject that names its keys.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from postrank.documents import JsonObject
from postrank.posts.events import Event, Ignored, Malformed
from postrank.posts.formats import gnip, native, x_compliance, x_graphql, x_v1, x_v2
from postrank.posts.formats.networks import bluesky, mastodon
from postrank.posts.repairs import Repairs, keys_of, shown

Outcome: TypeAlias = Event | Ignored | Malformed
Message: TypeAlias = JsonObject
_ZEESCHUIMER = ("item_id", "nav_index", "timestamp_collected")
_SEARCH_PAGE = frozenset(("statuses", "search_metadata"))
_PAGE_ONLY = frozenset(("meta", "errors", "includes", "title", "detail", "type", "status", "__twarc"))


def form_of(message: Any) -> str:
    """The name of an object's shape; "" for one that is not read."""
    if type(message) is not dict:
        return ""
    return next((name for name, fits, _ in _SHAPES if fits(message)), "")


def outcomes_of(message: Any, repairs: Repairs) -> Iterable[Outcome]:
    """What an object holds: an outcome for each post of a page. Never raises."""
    if type(message) is not dict:
        return (Malformed(f"{shown(message)} where an object belongs"),)
    for _, fits, read in _SHAPES:
        if fits(message):
            try:
                return read(message, repairs)
            except Malformed as malformed:
                return (malformed,)
            except RecursionError:
                return (Malformed("objects lie too deep in one another"),)
    return (Malformed(_unknown(message)),)


def _unknown(message: Message) -> str:
    if not message:
        return "an empty object"
    if "__typename" in message or "result" in message:
        return f"an object of X's web client that is no post: it has {keys_of(message)}"
    if ("text" in message and "created_at" in message) or "full_text" in message:
        return f"a post that names no author: it has {keys_of(message)}"
    return (
        f"neither a Postrank record nor an object of X, Mastodon or Bluesky that is known: it has {keys_of(message)} "
        "(name its author and time with `--map author_id=KEY --map posted_at=KEY`)"
    )


def _single(read: Callable[[Message, Repairs], Outcome]) -> Callable[[Message, Repairs], Iterable[Outcome]]:
    return lambda message, repairs: (read(message, repairs),)


def _elements(elements: Iterable[Any], repairs: Repairs) -> list[Outcome]:
    return [outcome for element in elements for outcome in outcomes_of(element, repairs)]


def _is_native(message: Message) -> bool:
    return "network" in message and "kind" in message


def _is_capture(message: Message) -> bool:
    return "source_platform" in message and "data" in message and any(key in message for key in _ZEESCHUIMER)


def _capture(message: Message, repairs: Repairs) -> Iterable[Outcome]:
    data = message["data"]
    if type(data) is dict:
        if x_graphql.is_post(data):
            return (x_graphql.parse(data, repairs),)
        if bluesky.is_view(data) or bluesky.is_feed_item(data) or mastodon.is_status(data):
            return outcomes_of(data, repairs)
    platform = shown(message["source_platform"])
    raise Malformed(f"a Zeeschuimer capture of {platform} whose data is no post that is read: {shown(data)}")


def _is_imported(message: Message) -> bool:
    return "__import_meta" in message


def _imported(message: Message, repairs: Repairs) -> Iterable[Outcome]:
    return outcomes_of({key: value for key, value in message.items() if key != "__import_meta"}, repairs)


def _is_statuses(message: Message) -> bool:
    return type(message.get("statuses")) is list and message.keys() <= _SEARCH_PAGE


def _is_site_stream(message: Message) -> bool:
    return message.keys() == {"for_user", "message"} and type(message["message"]) is dict


def _is_v1_delete(message: Message) -> bool:
    return message.keys() == {"delete"} and type(message["delete"]) is dict


def _is_notice(message: Message) -> bool:
    return x_v1.notice(message) is not None


def _notice(message: Message, _: Repairs) -> Iterable[Outcome]:
    outcome = x_v1.notice(message)
    return () if outcome is None else (outcome,)


def _is_v2_post(message: Message) -> bool:
    return "id" in message and "text" in message and ("author_id" in message or type(message.get("author")) is dict)


def _is_other_v2(message: Message) -> bool:
    """Users, counts, lists and the like, one by one."""
    return x_v2.name_of_other(message) != ""


def _other_v2(message: Message, _: Repairs) -> Iterable[Outcome]:
    return (Malformed(f"no post but {x_v2.name_of_other(message)}"),)


def _is_empty_page(message: Message) -> bool:
    return bool(message) and message.keys() <= _PAGE_ONLY and ("meta" in message or type(message.get("errors")) is list)


def _empty_page(message: Message, _: Repairs) -> Iterable[Outcome]:
    return (Ignored("empty_page" if "meta" in message else "errors"),)


# Name, whether an object has the shape, what it holds. In this order: the first that fits is it.
_SHAPES: tuple[tuple[str, Callable[[Message], bool], Callable[[Message, Repairs], Iterable[Outcome]]], ...] = (
    ("Postrank records", _is_native, _single(native.parse)),
    ("a Zeeschuimer capture", _is_capture, _capture),
    ("4CAT items", _is_imported, _imported),
    ("Bluesky events (Jetstream)", bluesky.is_event, _single(bluesky.event)),
    ("Bluesky post views", bluesky.is_view, _single(bluesky.view)),
    ("a Bluesky feed", bluesky.is_feed_item, lambda message, repairs: (bluesky.view(message["post"], repairs),)),
    (
        "Bluesky responses",
        bluesky.is_response,
        lambda message, repairs: _elements(message.get("feed", message.get("posts")) or (), repairs),
    ),
    (
        "a Bluesky thread",
        bluesky.is_thread,
        lambda message, repairs: _elements(bluesky.thread_posts(message["thread"]), repairs),
    ),
    ("Bluesky records", bluesky.is_record, _single(bluesky.record)),
    (
        "Bluesky records",
        lambda message: type(message.get("records")) is list and message.keys() <= {"records", "cursor"},
        lambda message, repairs: _elements(message["records"], repairs),
    ),
    ("Gnip activities", gnip.is_activity, _single(gnip.activity)),
    ("Gnip activities", gnip.is_info, lambda message, _: (Ignored(f"gnip_{next(iter(message))}"),)),
    (
        "an ActivityPub outbox",
        mastodon.is_outbox,
        lambda message, repairs: _elements(mastodon.outbox_items(message), repairs),
    ),
    ("ActivityPub activities", mastodon.is_activity, _single(mastodon.activity)),
    ("Mastodon statuses", mastodon.is_status, _single(mastodon.read_status)),
    ("X web client posts", x_graphql.is_post, _single(x_graphql.parse)),
    ("X API v2", lambda message: "data" in message, x_v2.parse),
    ("a page of Twitter API v1.1", _is_statuses, lambda message, repairs: _elements(message["statuses"], repairs)),
    (
        "Twitter Site Streams",
        _is_site_stream,
        lambda message, repairs: outcomes_of(message["message"], repairs),
    ),
    ("Twitter API v1.1", _is_v1_delete, lambda message, _: (x_v1.parse_delete(message),)),
    ("Twitter API v1.1", x_v1.is_post, _single(x_v1.parse)),
    ("Bluesky posts in a flat form", bluesky.is_flat, _single(bluesky.flat)),
    ("X API v2", _is_v2_post, lambda message, repairs: (x_v2.post(message, {}, repairs),)),
    ("a compliance job's result", x_compliance.is_result, lambda message, _: x_compliance.result(message)),
    ("Twitter API v1.1", _is_notice, _notice),
    ("X API v2", _is_empty_page, _empty_page),
    ("X API v2", _is_other_v2, _other_v2),
)
