"""DAG-CBOR, the form in which records are archived, as the JSON in which the network's servers show it.

A link becomes `{"$link": <CID>}`, bytes `{"$bytes": <base64>}` (atproto.com, "Data Model").
"""

import base64
import struct

from postrank.posts import Malformed

_DEEPEST = 64
_LINK_TAG = 42


def decode(data: bytes) -> object:
    """One value. Raises Malformed for anything else."""
    try:
        value, end = _value(memoryview(data), 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise Malformed(f"no DAG-CBOR: {error}") from error
    if end != len(data):
        raise Malformed(f"no DAG-CBOR: {len(data) - end} bytes follow the value")
    return value


def _value(data: memoryview, at: int, depth: int) -> tuple[object, int]:
    if depth > _DEEPEST:
        raise Malformed(f"no DAG-CBOR: values within values, more than {_DEEPEST} deep")
    major = data[at] >> 5
    if major == 7:
        return _simple(data, at)
    number, at = _argument(data, at)
    if major in (0, 1):
        return (number if major == 0 else -1 - number), at
    if major in (2, 3):
        return _string(data, at, number, is_text=major == 3)
    if major == 6:
        return _link(data, at, number)
    return (_list if major == 4 else _map)(data, at, number, depth)


def _argument(data: memoryview, at: int) -> tuple[int, int]:
    """The number in the head of a value, and where the head ends."""
    low = data[at] & 0x1F
    if low < 24:
        return low, at + 1
    if low > 27:
        raise Malformed("no DAG-CBOR: a value without a length")
    width = 1 << (low - 24)
    return int.from_bytes(data[at + 1 : at + 1 + width]), at + 1 + width


def _string(data: memoryview, at: int, length: int, *, is_text: bool) -> tuple[object, int]:
    content = bytes(data[at : at + length])
    if len(content) < length:
        raise Malformed("no DAG-CBOR: it ends in the middle of a value")
    if is_text:
        return content.decode(), at + length
    return {"$bytes": base64.b64encode(content).decode().rstrip("=")}, at + length


def _simple(data: memoryview, at: int) -> tuple[object, int]:
    low = data[at] & 0x1F
    if low == 27:
        return struct.unpack(">d", data[at + 1 : at + 9])[0], at + 9
    if low not in (20, 21, 22):
        raise Malformed(f"no DAG-CBOR: the simple value {low}")
    return (False, True, None)[low - 20], at + 1


def _list(data: memoryview, at: int, number: int, depth: int) -> tuple[list[object], int]:
    if number > len(data):
        raise Malformed("no DAG-CBOR: a list longer than the data")
    values = []
    for _ in range(number):
        value, at = _value(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: memoryview, at: int, number: int, depth: int) -> tuple[dict[str, object], int]:
    if number > len(data):
        raise Malformed("no DAG-CBOR: a map longer than the data")
    table = {}
    for _ in range(number):
        key, at = _value(data, at, depth + 1)
        if type(key) is not str:
            raise Malformed("no DAG-CBOR: a key that is no text")
        table[key], at = _value(data, at, depth + 1)
    return table, at


def _link(data: memoryview, at: int, tag: int) -> tuple[dict[str, str], int]:
    if tag != _LINK_TAG or data[at] >> 5 != 2:
        raise Malformed(f"no DAG-CBOR: the tag {tag}")
    length, at = _argument(data, at)
    cid = bytes(data[at + 1 : at + length])  # behind the multibase prefix 0x00
    return {"$link": "b" + base64.b32encode(cid).decode().lower().rstrip("=")}, at + length
