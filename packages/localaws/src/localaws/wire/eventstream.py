"""Events of a response that lasts: the binary messages of "Amazon event stream" (application/vnd.amazon.eventstream).

A message is its length, the length of its headers, a CRC of both, the headers, the payload, and a CRC of all of it.
"""

import binascii
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.model import OperationModel

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document
from localaws.wire import cborshape, jsonshape

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7  # the type of a header's value
_FRAME = 16  # bytes of a message besides its headers and payload


def member_of(described: OperationModel) -> str:
    """The member of an operation's output that holds its events; "" for one that answers at once."""
    output = described.output_shape
    return str(output.event_stream_name) if output is not None and described.has_event_stream_output else ""


def messages(described: OperationModel, events: Iterable[Document | None], protocol: str) -> Iterator[bytes]:
    """The messages of events, each a structure with the one member that names it; b"" for None, a moment without one.

    An AwsError that `events` raise ends the stream as the event that the model has for it.
    """
    shape: Any = described.get_event_stream_output()
    codec = cborshape if protocol == "cbor" else jsonshape
    content_type = "application/cbor" if protocol == "cbor" else "application/json"
    yield _message("initial-response", codec.encode(None, {}), content_type)
    try:
        for event in events:
            if event is None:
                yield b""
                continue
            ((name, value),) = event.items()
            yield _message(name, codec.encode(shape.members[name], value), content_type)
    except AwsError as error:
        name = error.code if error.code in shape.members else "InternalFailureException"
        body = codec.encode(shape.members[name], {"message": error.message})
        yield _message(name, body, content_type, kind="exception")


def _message(name: str, payload: bytes, content_type: str, kind: str = "event") -> bytes:
    headers = b"".join(
        _header(key, value)
        for key, value in ((f":{kind}-type", name), (":content-type", content_type), (":message-type", kind))
    )
    prelude = struct.pack(">II", _FRAME + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + struct.pack(">BH", _STRING, len(text)) + text
