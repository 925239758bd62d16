"""The networks, and the files, as the contract suite sees them: what can happen, and the source that reads it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from postrank.sources import Source
from postrank.sources.mastodon.api import first_of
from tests.support.fakes.jetstream import V2_PATH, FakeJetstream, commit, fake_jetstream, record
from tests.support.fakes.mastodon import TOKEN as MASTODON_TOKEN
from tests.support.fakes.mastodon import FakeMastodon, fake_mastodon, status
from tests.support.fakes.x import TOKEN as X_TOKEN
from tests.support.fakes.x import FakeX, fake_x, post
from tests.support.streaming.brokers import new_topic, plain, send, shared_broker
from tests.support.streaming.source_reader import built
from tests.support.streaming.streamers import record as native

DID = "did:plc:ann"


@dataclass
class Network:
    """One network, ready to be read."""

    connected: Callable[[], int]
    opened: Callable[[], int]  # connections, ever
    publish: Callable[[int], str]  # a post with that number; returns its post_id
    disconnect: Callable[[], None]
    silence: Callable[[bool], None]
    unknown: Callable[[], None]  # a message of a kind that nobody knows
    malformed: Callable[[], None]  # a message that breaks the contract
    raw: Callable[[bytes], None]  # any bytes without a newline, as a message
    table: dict[str, Any]  # the source's options
    name: str
    resumes: bool  # whether the network gives again what was missed
    live: bool = True  # False: all of it is there before it is read
    secret: str = ""
    quick: Callable[[Source], None] = field(default=lambda _: None)  # the same rules, in less time
    announce: Callable[[str], None] = field(default=lambda _: None)  # the URL that it says it streams from

    def source(self, state: Path, *, keeps_originals: bool = False, **more: Any) -> Source:
        found = built(self.name, state, keeps_originals=keeps_originals, **{**self.table, **more})
        self.quick(found)
        return found


@contextmanager
def x() -> Iterator[Network]:
    with fake_x() as fake:
        yield _x(fake)


def _x(fake: FakeX) -> Network:
    def publish(number: int) -> str:
        fake.publish(post(number))
        return str(number)

    rules = [{"value": "cats"}]
    budgets = {"daily_budget": 100.0, "monthly_budget": 100.0}
    return Network(
        connected=lambda: fake.feed.connected,
        opened=lambda: fake.feed.opened,
        publish=publish,
        disconnect=fake.feed.disconnect,
        silence=lambda on: setattr(fake.feed, "silent", on),
        unknown=lambda: fake.publish({"surprise": {"a": 1}}),
        malformed=lambda: fake.publish({"data": {"id": "1", "text": 5}}),
        raw=lambda data: fake.publish(data + b"\r\n"),
        table={"bearer_token": X_TOKEN, "host": fake.url, "rules": rules, **budgets},
        name="x",
        resumes=False,
        secret=X_TOKEN,
    )


@contextmanager
def mastodon() -> Iterator[Network]:
    with fake_mastodon() as fake:
        yield _mastodon(fake)


def _mastodon(fake: FakeMastodon) -> Network:
    def publish(number: int) -> str:
        body = status(int(first_of(datetime.now(UTC))) + number)  # ids begin with the time
        fake.publish(body)
        return str(body["id"])

    def quick(source: Any) -> None:
        for one in source.instances:
            one.lost.first = one.troubled.first = 0.1

    return Network(
        connected=lambda: fake.feed.connected,
        opened=lambda: fake.feed.opened,
        publish=publish,
        disconnect=fake.feed.disconnect,
        silence=lambda on: setattr(fake.feed, "silent", on),
        unknown=lambda: fake.send("announcement", "{}"),
        malformed=lambda: fake.send("update", '{"id": "1", "content": 5}'),
        raw=lambda data: fake.feed.publish(b"event: update\ndata: " + data + b"\n\n"),
        table={"instances": [{"url": fake.url, "token": MASTODON_TOKEN}]},
        name="mastodon",
        resumes=True,
        secret=MASTODON_TOKEN,
        quick=quick,
        announce=lambda url: setattr(fake, "streaming", url),
    )


@contextmanager
def bluesky() -> Iterator[Network]:
    with fake_jetstream() as fake:
        yield _bluesky(fake, {}, {"kind": "surprise", "did": DID, "time_us": 1_790_000_000_000_000})


@contextmanager
def bluesky_v2() -> Iterator[Network]:
    with fake_jetstream() as fake:
        payload = {
            "$type": f"{V2_PATH.rpartition('/')[2]}#surprise",
            "did": DID,
            "seq": 1,
            "time": "2026-11-01T05:00:00Z",
        }
        yield _bluesky(fake, {"protocol": "v2"}, {"$type": "message", "payload": payload})


def _bluesky(fake: FakeJetstream, more: dict[str, Any], unknown: dict[str, Any]) -> Network:
    def publish(number: int) -> str:
        fake.publish(commit(DID, str(number), record(str(number))))
        return f"at://{DID}/app.bsky.feed.post/{number}"

    return Network(
        connected=lambda: fake.connected,
        opened=lambda: fake.opened,
        publish=publish,
        disconnect=fake.disconnect,
        silence=lambda on: setattr(fake, "silent", on),
        unknown=lambda: fake.send(json.dumps(unknown)),
        malformed=lambda: fake.send("{cut"),
        raw=fake.send,
        table={"hosts": [fake.url], "directory": "none", **more},
        name="bluesky",
        resumes=True,
    )


@contextmanager
def tail() -> Iterator[Network]:
    """A log that grows; a disconnect is a rotation."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "posts.ndjson")
        log.touch()

        def rotate() -> None:
            log.rename(f"{log}.1")
            log.touch()

        yield _files(log, rotate, {})


@contextmanager
def replay() -> Iterator[Network]:
    """A file in which the posts are a second apart, a thousand times as fast; silence is a post of tomorrow."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "posts.ndjson")
        file.touch()
        found = _files(file, lambda: None, {"speed": 1000})
        found.live = False
        yield found


def _files(file: Path, disconnect: Callable[[], None], table: dict[str, Any]) -> Network:
    def write(data: bytes) -> None:
        with file.open("ab") as out:
            out.write(data + b"\n")

    def publish(number: int) -> str:
        write(json.dumps(native(number, seconds=number)).encode())
        return str(number)

    return Network(
        connected=lambda: 1,
        opened=lambda: 1,
        publish=publish,
        disconnect=disconnect,
        silence=lambda on: write(json.dumps(native(9, seconds=86_400)).encode()) if on and table else None,
        unknown=lambda: write(b'{"limit": {"track": 5}}'),
        malformed=lambda: write(b'{"kind": "post", "network": "x", "post_id": 7}'),
        raw=write,
        table={"files": [str(file)], **table},
        name="replay" if table else "tail",
        resumes=True,
    )


@contextmanager
def kafka() -> Iterator[Network]:
    """A topic of one partition, in which messages keep their order; nothing is missed, and so nothing is a gap."""
    broker = shared_broker()
    topic = new_topic(broker, partitions=1, max_message_bytes=str(32 << 20))

    def publish(number: int) -> str:
        send(broker, topic, json.dumps(native(number, seconds=number)).encode())
        return str(number)

    yield Network(
        connected=lambda: 1,
        opened=lambda: 1,
        publish=publish,
        disconnect=lambda: None,
        silence=lambda _: None,
        unknown=lambda: send(broker, topic, b'{"limit": {"track": 5}}'),
        malformed=lambda: send(broker, topic, b'{"kind": "post", "network": "x", "post_id": 7}'),
        raw=lambda data: send(broker, topic, data),
        table={**plain(broker), "topic": topic},
        name="kafka",
        resumes=True,
    )


NETWORKS = {"x": x, "mastodon": mastodon, "bluesky": bluesky, "bluesky-v2": bluesky_v2}
SOURCES = {**NETWORKS, "tail": tail, "replay": replay, "kafka": kafka}
