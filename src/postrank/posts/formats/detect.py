"""One line of JSON, in any form that is known, as events: see `formats.recognise`."""

from codecs import BOM_UTF8
from collections.abc import Iterable
from typing import Any

import orjson

from postrank.posts.events import Ignored, Malformed
from postrank.posts.formats.json_repair import decoded_values
from postrank.posts.formats.recognise import Outcome, outcomes_of
from postrank.posts.formats.x_stream import stream_post
from postrank.posts.repairs import Repairs

__all__ = ["Outcome", "parse_line", "read_line"]

_BLANK = (Ignored("blank"),)


def parse_line(line: bytes) -> tuple[Iterable[Outcome], int]:
    """What a line holds (an outcome for each post of a page), and how many unknown fields it had. Never raises."""
    return read_line(line, Repairs())


def read_line(line: bytes, repairs: Repairs) -> tuple[Iterable[Outcome], int]:
    """The same, counting the details that were left out."""
    if (post := stream_post(line)) is not None:
        return (post,), 0
    try:
        return read_message(orjson.loads(line), repairs)
    except orjson.JSONDecodeError as error:
        if line.startswith(BOM_UTF8):  # some programs begin a file with it
            return read_line(line.lstrip(BOM_UTF8), repairs)
        if not line.strip():
            return _BLANK, 0
        return _repaired(line, error, repairs)


def read_message(message: Any, repairs: Repairs) -> tuple[Iterable[Outcome], int]:
    """What a decoded value holds: an object, or a list of objects."""
    before = repairs.unknown
    if type(message) is list:
        if message and not any(type(element) is dict for element in message):
            return (Malformed("a list that holds no objects"),), 0
        outcomes = [outcome for element in message for outcome in outcomes_of(element, repairs)]
        return outcomes or (Ignored("empty_page"),), repairs.unknown - before
    results = outcomes_of(message, repairs)
    return results, repairs.unknown - before


def _repaired(line: bytes, error: orjson.JSONDecodeError, repairs: Repairs) -> tuple[Iterable[Outcome], int]:
    """What a line holds that is JSON but for NaN, lone surrogates, or several objects without newlines."""
    try:
        messages = list(decoded_values(line, repairs))
    except Malformed as malformed:
        return (Malformed(f"{malformed}" if str(malformed) else f"not JSON: {error}"),), 0
    outcomes: list[Outcome] = []
    unknown = 0
    for message in messages:
        if isinstance(message, Malformed):
            outcomes.append(message)
            continue
        more, fields = read_message(message, repairs)
        outcomes += more
        unknown += fields
    return outcomes, unknown
