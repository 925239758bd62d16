"""Bluesky's past on loopback: Jetstream's archive in blocks, the directory of DIDs, servers of repositories."""

import base64
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard

from postrank.sources.bluesky.archive.record_keys import first_key
from tests.support.fakes.http_server import Handler, serving

KEY = "replay-key-that-must-stay-secret"
POSTS = "app.bsky.feed.post"
_XRPC = "/xrpc/network.bsky.jetstream."


def cbor(value: Any) -> bytes:
    """DAG-CBOR of JSON as the network shows it."""
    if value is None or isinstance(value, bool):
        return bytes([{False: 0xF4, True: 0xF5, None: 0xF6}[value]])
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    if value.keys() == {"$link"}:
        padded = value["$link"][1:].upper() + "=" * (-len(value["$link"][1:]) % 8)
        cid = b"\0" + base64.b32decode(padded)
        return b"\xd8\x2a" + _head(2, len(cid)) + cid
    items = sorted(value.items(), key=lambda item: (len(item[0]), item[0]))
    return _head(5, len(items)) + b"".join(cbor(key) + cbor(item) for key, item in items)


def _head(major: int, number: int) -> bytes:
    for low, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << 8 * width:
            return bytes([major << 5 | low]) + number.to_bytes(width)
    raise ValueError(number)


def micros(text: str) -> int:
    """An RFC 3339 time in microseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


@dataclass(frozen=True)
class Archived:
    """An event of the archive. `kind`: 1 create, 2 update, 3 delete, 4 identity, 5 account."""

    seq: int
    at: str
    did: str
    kind: int = 1
    rkey: str = ""
    collection: str = POSTS
    payload: Any = None


def block(events: list[Archived]) -> bytes:
    """A block of the archive."""
    texts = [
        [(event.collection if event.kind < 4 else "").encode() for event in events],
        [event.did.encode() for event in events],
        [event.rkey.encode() for event in events],
        [b"3l" for _ in events],
        [b"" if event.payload is None else cbor(event.payload) for event in events],
    ]
    columns = [
        [event.seq for event in events],
        [micros(event.at) for event in events],
        [0 for _ in events],
        [event.kind for event in events],
        *([len(value) for value in column] for column in texts),
    ]
    data = struct.pack("<I", len(events))
    for letter, column in zip("QqqBBHBBI", columns, strict=True):
        data += struct.pack(f"<{len(column)}{letter}", *column)
    return zstandard.ZstdCompressor().compress(data + b"".join(b"".join(column) for column in texts))


@dataclass
class FakePast:
    """The archive and the repositories. `segments` are lists of blocks of events."""

    url: str = ""
    segments: list[list[list[Archived]]] = field(default_factory=list)
    whole: bool = False  # plans name segments rather than blocks
    times: str = "IndexedAt"  # how the list of segments calls them
    entries: int = 2  # in a page of a plan
    repositories: dict[str, list[tuple[str, str, Any]]] = field(default_factory=dict)  # by DID: collection, rkey, value
    gone: set[str] = field(default_factory=set)
    trouble: list[int] = field(default_factory=list)  # statuses of the next answers
    calls: list[str] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    def write(self, did: str, at: str, text: str, collection: str = POSTS) -> str:
        """Add a record to a repository; returns its key."""
        rkey = first_key(datetime.fromisoformat(at))
        record = {"$type": collection, "text": text, "createdAt": at}
        self.repositories.setdefault(did, []).append((collection, rkey, record))
        return rkey


class _PastHandler(Handler):
    @property
    def fake(self) -> FakePast:
        return self.server.fake  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.fake.calls.append(parts.path)
        if self.fake.trouble:
            self.answer(self.fake.trouble.pop(0), {"error": "Troubled"}, {"Retry-After": "0"})
        elif parts.path.startswith(_XRPC):
            self.fake.keys.add(self.headers.get("Authorization"))
            getattr(self, parts.path.removeprefix(_XRPC))()
        elif parts.path.startswith("/directory/"):
            self.document(parts.path.removeprefix("/directory/"))
        else:
            self.records()

    do_POST = do_GET

    def listSegments(self) -> None:
        rows = []
        for number, blocks in enumerate(self.fake.segments):
            events = [event for events in blocks for event in events]
            seen = [micros(event.at) for event in events]
            bounds = {"minSeq": events[0].seq, "maxSeq": events[-1].seq}
            rows.append(
                {
                    "name": f"seg_{number}.jss",
                    "index": number,
                    **bounds,
                    f"min{self.fake.times}": min(seen),
                    f"max{self.fake.times}": max(seen),
                }
            )
        start = int(self.query.get("cursor", "0"))
        following = {"cursor": str(start + 1)} if start + 1 < len(rows) else {}
        self.answer(200, {"segments": rows[start : start + 1], **following})

    def planSnapshot(self) -> None:
        request = self.body()
        tip = min(request["beforeSeq"], self.fake.segments[-1][-1][-1].seq)
        segments: list[dict[str, Any]] = []
        through = tip
        entries = 0
        for number, blocks in enumerate(self.fake.segments):
            for index, events in enumerate(blocks):
                if events[-1].seq <= request["afterSeq"] or events[0].seq > tip:
                    continue
                if entries == self.fake.entries:
                    self.answer(200, {"segments": segments, "plannedThroughSeq": through, "sealedTipSeq": tip})
                    return
                base = {"name": f"seg_{number}.jss", "index": number, "checksum": "0" * 16}
                if self.fake.whole:
                    segments.append({**base, "mode": "segment"})
                    through = blocks[-1][-1].seq
                    entries += 1
                    break
                segments.append({**base, "mode": "blocks", "blocks": [{"first": index, "last": index}]})
                through = events[-1].seq
                entries += 1
        self.answer(200, {"segments": segments, "plannedThroughSeq": tip, "sealedTipSeq": tip})

    def getBlock(self) -> None:
        blocks = self.fake.segments[int(self.query["segment"][4:-4])]
        number = int(self.query["blockIndex"])
        if number >= len(blocks):
            self.answer(404, {"error": "BlockNotFound", "message": "no such block"})
            return
        data = block(blocks[number])
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def document(self, did: str) -> None:
        if did in self.fake.gone:
            self.answer(410, {"message": "gone"})
            return
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.fake.url}
        self.answer(200, {"id": did, "service": [service]})

    def records(self) -> None:
        did = self.query["repo"]
        if did not in self.fake.repositories:
            self.answer(400, {"error": "RepoNotFound", "message": "no such repository"})
            return
        listed = sorted(
            (
                (rkey, value)
                for collection, rkey, value in self.fake.repositories[did]
                if collection == self.query["collection"] and rkey < self.query["cursor"]
            ),
            reverse=True,
        )[: int(self.query["limit"])]
        uri = f"at://{did}/{self.query['collection']}"
        body: dict[str, Any] = {
            "records": [{"uri": f"{uri}/{rkey}", "cid": "b", "value": value} for rkey, value in listed]
        }
        self.answer(200, {**body, "cursor": listed[-1][0]} if listed else body)


@contextmanager
def fake_past(**options: Any) -> Iterator[FakePast]:
    """Bluesky's past on a free port."""
    fake = FakePast(**options)
    with serving(fake, _PastHandler, None) as url:
        fake.url = url
        yield fake
