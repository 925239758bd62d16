"""CBOR bodies to values and back (Smithy RPC v2), by the shapes of a model.

botocore has both halves, for the other direction: what writes an input can write an output, and so with reading.
"""

from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.model import Shape, StructureShape
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure


@cache
def _reader() -> Any:
    return RpcV2CBORParser()


def decode(shape: Shape | None, body: bytes) -> Document:
    """The parameters in a CBOR body. Raises AwsError SerializationException."""
    if not body or shape is None:
        return {}
    try:
        parsed: Document = _reader().parse({"body": body, "headers": {}, "status_code": 200}, shape)
    except (ResponseParserError, ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
        raise AwsError("SerializationException", f"the body is no CBOR of this action: {error}") from error
    parsed.pop("ResponseMetadata", None)
    return parsed


def encode(shape: Shape | None, result: Structure) -> bytes:
    """A CBOR body of a result; members that are None are left out."""
    members_of = shape.members if isinstance(shape, StructureShape) else {}
    members = {name: value for name, value in result.items() if value is not None and name in members_of}
    operation: Any = SimpleNamespace(  # as much of an OperationModel as the serializer reads
        name="",
        input_shape=shape,
        http={"method": "POST", "requestUri": "/"},
        service_model=SimpleNamespace(metadata={"targetPrefix": ""}, service_name=""),
        has_event_stream_input=False,
        has_event_stream_output=False,
    )
    written = RpcV2CBORSerializer().serialize_to_request(members, operation)["body"]
    return bytes(written) or b"\xa0"


def error_body(code: str, message: str, fields: Structure) -> bytes:
    """The body of an error: a map of text."""
    return _map({"__type": code, "message": message, **{name: str(value) for name, value in fields.items()}})


def _map(texts: Mapping[str, str]) -> bytes:
    return _head(0xA0, len(texts)) + b"".join(_text(name) + _text(value) for name, value in texts.items())


def _text(value: str) -> bytes:
    raw = value.encode()
    return _head(0x60, len(raw)) + raw


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes([major | size])
    if size < 1 << 8:
        return bytes([major | 24, size])
    return (
        bytes([major | 25]) + size.to_bytes(2, "big")
        if size < 1 << 16
        else bytes([major | 26]) + size.to_bytes(4, "big")
    )
