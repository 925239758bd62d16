"""What a line of X's filtered stream says: posts, deletes, errors of the stream itself, things nobody knows yet."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import orjson

from postrank.documents import Document, JsonObject
from postrank.posts import Event, Ignored, Malformed
from postrank.posts.formats import observations, x_compliance, x_v2
from postrank.posts.formats.x_stream import stream_post
from postrank.posts.repairs import Repairs
from postrank.posts.times import to_text
from postrank.sources.net.batch_builder import Gathering

_OVER_LIMIT = ("too-many-connections", "toomanyconnections", "connectionexception")


class StreamError(Exception):
    """X ends the stream from within: `kind` is its word for why; `crowded` when it counts too many connections."""

    def __init__(self, kind: str, *, crowded: bool) -> None:
        super().__init__(kind)
        self.kind = kind
        self.crowded = crowded


def absorb(line: bytes, gathered: Gathering) -> int:
    """Take in one line that is not blank; returns how many posts it carried, which is what X charges for.

    Raises StreamError, once the line is counted, when it ends the stream.
    """
    if not gathered.observes and (post := stream_post(line)) is not None:
        gathered.add(post, line)
        return 1
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        gathered.add(Malformed(f"not JSON: {error}"), line)
        return 0
    if type(message) is not dict:
        gathered.add(Malformed("not a JSON object"), line)
        return 0
    data = message.get("data")
    if data is None:
        _other(message, line, gathered)
        return 0
    if type(data) is list:
        add_page(message, gathered)
    else:
        for outcome in _events(message, gathered.repairs):
            gathered.add(outcome, line)
    observe(message, gathered)
    return len(data) if type(data) is list else int(type(data) is dict and "id" in data)


def add_page(message: JsonObject, gathered: Gathering) -> None:
    """Take in a response with a list of posts."""
    for outcome, original in zip(x_v2.parse(message, gathered.repairs), _originals(message, gathered), strict=False):
        gathered.add(outcome, original)


def _originals(message: JsonObject, gathered: Gathering) -> Iterator[bytes]:
    """Each post of a page as it would come alone, with what of `includes` it names; then, or unwanted, empty ones."""
    if gathered.keeps:
        for element in message.get("data") or ():
            yield gathered.original({"data": element, **_includes_of(element, message)})
    yield from repeat(b"")


def _includes_of(element: Any, message: JsonObject) -> JsonObject:
    includes = message.get("includes")
    if type(includes) is not dict:
        return {}
    text = orjson.dumps(element)
    named = {
        kind: [each for each in objects if type(each) is dict and orjson.dumps(_key_of(each)) in text]
        for kind, objects in includes.items()
        if type(objects) is list
    }
    return {"includes": {kind: objects for kind, objects in named.items() if objects}}


def _key_of(included: JsonObject) -> Any:
    return included.get("media_key") or included.get("id")


def observe(message: JsonObject, gathered: Gathering) -> None:
    """Take in the counts that a response or a stream object shows at this moment, where they are wanted."""
    if gathered.observes:
        for observation in observations.of_x_v2(message, to_text(datetime.now(UTC)), gathered.repairs):
            gathered.add(observation, b"")


def _events(message: Document, repairs: Repairs) -> Iterable[Event | Ignored | Malformed]:
    data = message["data"]
    if type(data) is dict and "id" not in data and not data.keys() & x_compliance.KINDS:
        return (Ignored("unknown") if data else Malformed("data is empty"),)
    return x_v2.parse(message, repairs)


def _other(message: Document, line: bytes, gathered: Gathering) -> None:
    errors = message.get("errors")
    if type(errors) is not list:
        gathered.add(Ignored("unknown"), line)
        return
    gathered.add(Ignored("errors"), line)
    for error in errors:
        kind = disconnects(error)
        if kind is not None:
            raise StreamError(kind, crowded=is_crowded(kind))


def disconnects(error: Any) -> str | None:
    """X's word for why it ends the stream, when the error does that (X API, "Handling disconnections")."""
    if type(error) is not dict:
        return None
    kind = str(error.get("type", "")).rpartition("/")[2]
    if "disconnect_type" in error or "disconnect" in kind or is_crowded(f"{kind} {error.get('title')}"):
        return str(error.get("disconnect_type") or error.get("connection_issue") or kind)
    return None


def is_crowded(text: str) -> bool:
    """Whether X says that the app has too many connections."""
    return any(word in text.lower() for word in _OVER_LIMIT)
