"""Shard iterators: opaque tokens that name a shard and a position, good for five minutes."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from localaws.core.cloud import AwsError

LIFETIME = 300.0  # seconds; "GetShardIterator": a shard iterator expires 5 minutes after it is returned
_KEY = b"localaws shard iterator"  # makes a token that was altered plain to see; it guards nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Iterator:
    """Reading goes on behind `position` of the shard with that key."""

    stream: str
    shard: int
    position: int
    issued: float  # epoch seconds

    def encode(self) -> str:
        body = json.dumps([self.stream, self.shard, self.position, self.issued]).encode()
        return base64.b64encode(_sign(body) + body).decode()


def decode(token: str, *, now: float) -> Iterator:
    """Raises AwsError InvalidArgumentException for a token of nobody's, ExpiredIteratorException for an old one."""
    try:
        raw = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    mark = raw[:16]
    body = raw[16:]
    if not body or not hmac.compare_digest(mark, _sign(body)):
        raise AwsError("InvalidArgumentException", "Invalid ShardIterator.")
    stream, shard, position, issued = json.loads(body)
    if now - issued > LIFETIME:
        raise AwsError(
            "ExpiredIteratorException",
            f"Iterator expired. The iterator was created at time {issued:.0f} while right now it is {now:.0f} "
            f"which is further in the future than the tolerated delay of {LIFETIME * 1000:.0f} milliseconds.",
        )
    return Iterator(stream=stream, shard=shard, position=position, issued=issued)


def stream_of(token: str) -> str | None:
    """The name of the stream that a shard iterator reads, however old it is; None for no iterator of ours."""
    try:
        return decode(token, now=0.0).stream
    except AwsError:
        return None


def _sign(body: bytes) -> bytes:
    return hmac.new(_KEY, body, hashlib.sha256).digest()[:16]
