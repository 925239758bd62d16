"""One line of JSON, in any form that is known, as events: Postrank's own record, Twitter API v1.1, X API v2."""

from codecs import BOM_UTF8
from collections.abc import Iterable
from typing import TypeAlias

import orjson

from postrank.documents import Document
from postrank.posts.events import Event, Ignored, Malformed
from postrank.posts.formats import native, x_compliance, x_v1, x_v2
from postrank.posts.formats.x_stream import stream_post

Outcome: TypeAlias = Event | Ignored | Malformed
_BLANK = (Ignored("blank"),)


def parse_line(line: bytes) -> tuple[Iterable[Outcome], int]:
    """What a line holds (an outcome for each post of a page), and how many unknown fields it had. Never raises."""
    if (post := stream_post(line)) is not None:
        return (post,), 0
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if line.startswith(BOM_UTF8):  # some programs begin a file with it
            return parse_line(line.lstrip(BOM_UTF8))
        return ((Malformed(f"not JSON: {error}"),) if line.strip() else _BLANK), 0
    try:
        if type(message) is not dict:
            raise Malformed("not a JSON object")
        if "network" in message and "kind" in message:
            return (native.parse(message),), native.unknown_fields(message)
        return (x_v2.parse(message) if "data" in message else _foreign(message)), 0
    except Malformed as malformed:
        return (malformed,), 0


def _foreign(message: Document) -> Iterable[Outcome]:
    if "delete" in message:
        return (x_v1.parse_delete(message),)
    if x_v1.is_post(message):
        return (x_v1.parse(message),)
    if "id" in message and "text" in message:
        return (x_v2.post(message, {}),)
    if "id" in message and "action" in message:
        return (x_compliance.result(message),)
    if found := x_v1.notice(message):
        return (found,)
    if "meta" in message or "errors" in message:
        return (Ignored("empty_page" if "meta" in message else "errors"),)
    raise Malformed("neither a Postrank record nor an object of X that is known")
