"""JSON as careless programs write it: NaN, lone surrogates, bytes that are no UTF-8, several values on a line.

It is read by Python's own decoder, which takes all of these; it is slower, and called only where orjson refuses.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from postrank.posts.events import Malformed
from postrank.posts.repairs import Repairs, cleaned


def decoded(data: bytes, repairs: Repairs) -> Iterator[Any]:
    """The values of a line; see `decoded_values`. Raises Malformed."""
    try:
        yield orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from decoded_values(data, repairs)


def is_json(data: bytes) -> bool:
    """Whether bytes are one value of JSON, or would be but for what is repaired here."""
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return len(list(decoded_values(data, Repairs()))) == 1
        except Malformed:
            return False
    return True


def decoded_values(data: bytes, repairs: Repairs) -> Iterator[Any]:
    """The values of some bytes, one after another; what follows the last good one is a Malformed value.

    Raises Malformed where not even the first value can be read.
    """
    text = data.decode(errors="replace")
    if "\ufffd" in text:
        repairs.count += 1
    decoder = json.JSONDecoder(parse_constant=_null(repairs), strict=False)
    at = 0
    first = True
    while at < len(text):
        if text[at] in " \t\r\n,\x1e":
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError as error:
            raise Malformed("not JSON: objects lie too deep in one another") from error
        except ValueError as error:
            if first:
                raise Malformed(_reason(error)) from error
            yield Malformed(f"what follows an object is not JSON: {_reason(error)}")
            return
        if first and at < len(text) and type(value) is not dict and text[at:].strip(" \t\r\n,\x1e"):
            raise Malformed("not JSON: unexpected text behind a value")
        first = False
        yield cleaned(value, repairs)


def _null(repairs: Repairs) -> Any:
    """Makes null of NaN and the infinities."""

    def constant(_: str) -> None:
        repairs.count += 1

    return constant


def _reason(error: ValueError) -> str:
    return f"not JSON: {error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "not JSON"
