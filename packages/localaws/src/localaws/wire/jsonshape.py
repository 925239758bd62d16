"""JSON bodies to values and back, by the shapes of a model: blobs are bytes, timestamps are aware.

Only members that need a change are looked at, so that a batch of 500 records costs what its base64 costs.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure

Change = Callable[[Any], Any]
_NUMBERS = (int, float)


def decode(shape: Shape | None, body: bytes) -> Document:
    """The parameters in a JSON body. Raises AwsError SerializationException."""
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise AwsError("SerializationException", f"the body is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise _unfit("the body", "a structure")
    checked = _reader(shape)(parsed) if shape else parsed
    return dict(checked)


def encode(shape: Shape | None, result: Structure) -> bytes:
    """A JSON body of a result; members that are None are left out."""
    return orjson.dumps(_writer(shape)(result) if shape else {}, option=orjson.OPT_NON_STR_KEYS, default=_unknown)


def _unfit(what: str, kind: str) -> AwsError:
    return AwsError("SerializationException", f"{what} is not {kind}")


def _unknown(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} in an answer")


# Reading


@cache
def _reader(shape: Shape) -> Change:
    """What makes a value of `shape` from its JSON form."""
    if isinstance(shape, StructureShape):
        return _structure_reader(shape)
    if isinstance(shape, ListShape):
        member: Change = _reader(shape.member)
        return lambda value: [member(element) for element in _is(value, list, shape, "a list")]
    if isinstance(shape, MapShape):
        item: Change = _reader(shape.value)
        return lambda value: {name: item(element) for name, element in _is(value, dict, shape, "a map").items()}
    return _scalar_reader(shape, shape.type_name)


def _scalar_reader(shape: Shape, kind: str) -> Change:
    read: dict[str, Change] = {
        "blob": lambda value: _blob(value, shape),
        "timestamp": lambda value: _timestamp(value, shape),
        "string": lambda value: _is(value, str, shape, "a string"),
        "boolean": lambda value: _is(value, bool, shape, "a boolean"),
        "integer": lambda value: int(_number(value, shape)),
        "long": lambda value: int(_number(value, shape)),
        "float": lambda value: float(_number(value, shape)),
        "double": lambda value: float(_number(value, shape)),
    }
    return read.get(kind, lambda value: value)


def _structure_reader(shape: StructureShape) -> Change:
    if getattr(shape, "is_document_type", False):
        return lambda value: value
    members: dict[str, tuple[str, Change]] = {}

    def read(value: Any) -> Document:
        structure = _is(value, dict, shape, "a structure")
        if not members:  # made when first used: shapes may contain themselves
            every = shape.members.items()
            members.update({member.serialization.get("name", name): (name, _reader(member)) for name, member in every})
        return {
            members[name][0]: members[name][1](member)
            for name, member in structure.items()
            if member is not None and name in members
        }

    return read


def _is(value: Any, kind: type, shape: Shape, expected: str) -> Any:
    if not isinstance(value, kind):
        raise _unfit(shape.name, expected)
    return value


def _number(value: Any, shape: Shape) -> float:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise _unfit(shape.name, "a number")
    return value


def _blob(value: Any, shape: Shape) -> bytes:
    try:
        return base64.b64decode(_is(value, str, shape, "base64"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unfit(shape.name, "base64") from error


def _timestamp(value: Any, shape: Shape) -> datetime:
    try:
        if isinstance(value, _NUMBERS):
            return datetime.fromtimestamp(value, UTC)
        parsed = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError) as error:
        raise _unfit(shape.name, "a timestamp") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


# Writing


@cache
def _writer(shape: Shape) -> Change:
    """What makes the JSON form of a value of `shape`."""
    if isinstance(shape, StructureShape):
        return _structure_writer(shape)
    if isinstance(shape, ListShape):
        member = _writer(shape.member)
        return lambda value: [member(element) for element in value]
    if isinstance(shape, MapShape):
        item = _writer(shape.value)
        return lambda value: {name: item(element) for name, element in value.items()}
    if shape.type_name == "timestamp":
        iso = shape.serialization.get("timestampFormat") == "iso8601"
        return lambda value: _shown(value, iso)
    if shape.type_name == "blob":
        return lambda value: base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    return lambda value: value


def _structure_writer(shape: StructureShape) -> Change:
    if getattr(shape, "is_document_type", False):
        return lambda value: value
    members: dict[str, tuple[str, Change]] = {}

    def write(value: Structure) -> Document:
        if not members:
            every = shape.members.items()
            members.update({name: (member.serialization.get("name", name), _writer(member)) for name, member in every})
        return {
            members[name][0]: members[name][1](member)
            for name, member in value.items()
            if member is not None and name in members
        }

    return write


def _shown(value: Any, iso: bool) -> Any:
    if not isinstance(value, datetime):
        return value
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    if iso:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return round(moment.timestamp(), 3)
