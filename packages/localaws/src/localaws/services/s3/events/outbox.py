"""Events that are still to be delivered, written in the transaction that causes them: at least once, none invented.

Source of the messages' form: "Event message structure" (version 2.1).
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote_plus

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.shapes import Document, Structure
from localaws.services.s3.events.configuration import rules

_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an object. `size` and `etag` are None where S3 does not report them."""

    name: str  # "s3:ObjectCreated:Put"
    bucket: str
    key: str
    size: int | None = None
    etag: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one destination (ARN)."""

    seq: int
    destination: str
    body: str


class Transactions(Protocol):
    """The index of S3, as far as the outbox uses it."""

    @property
    def db(self) -> sqlite3.Connection: ...

    def write(self) -> AbstractContextManager[sqlite3.Connection]: ...


class Outbox:
    """Configurations and pending messages of all buckets, in the index. Safe to use from any thread."""

    def __init__(self, index: Transactions) -> None:
        self._index = index
        self.added: Callable[[], None] = lambda: None  # called when there is something to deliver

    def configure(self, bucket: str, configuration: Structure) -> None:
        with self._index.write() as db:
            db.execute(
                "insert or replace into notifications (bucket, configuration) values (?, ?)",
                (bucket, json.dumps(configuration)),
            )

    def configuration(self, bucket: str) -> Document:
        """The stored configuration; empty where there is none."""
        row = self._index.db.execute("select configuration from notifications where bucket = ?", (bucket,)).fetchone()
        return dict(json.loads(row["configuration"])) if row else {}

    def add(self, db: sqlite3.Connection, event: Event) -> None:
        """Add an event's messages to the transaction of `db`."""
        configuration = self.configuration(event.bucket)
        destinations = [rule for rule in rules(configuration) if rule.matches(event.name, event.key)]
        for rule in destinations:
            record = json.dumps(_record(event, rule.id))
            db.execute("insert into events (destination, record) values (?, ?)", (rule.destination, record))
        if destinations:
            self.added()

    def pending(self) -> list[Message]:
        """The oldest messages, after the transactions that are under way: `added` is called before they end."""
        with self._index.write() as db:
            rows = db.execute("select * from events order by seq limit ?", (_BATCH,)).fetchall()
        return [Message(row["seq"], row["destination"], _body(row["seq"], json.loads(row["record"]))) for row in rows]

    def done(self, message: Message) -> None:
        """Forget a message that was delivered, or that cannot be."""
        with self._index.write() as db:
            db.execute("delete from events where seq = ?", (message.seq,))


def test_event(bucket: str) -> str:
    """The message by which S3 tries a destination ("s3:TestEvent")."""
    request = _request_ids()
    message = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _stamp(),
        "Bucket": bucket,
        "RequestId": request["x-amz-request-id"],
        "HostId": request["x-amz-id-2"],
    }
    return json.dumps(message)


def _record(event: Event, configuration: str) -> Document:
    described: Document = {"key": quote_plus(event.key, safe="/")}
    described |= {
        name: value
        for name, value in (("size", event.size), ("eTag", event.etag), ("versionId", event.version))
        if value is not None
    }
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": _stamp(),
        "eventName": event.name.removeprefix("s3:"),
        "userIdentity": {"principalId": f"AWS:{ACCOUNT}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": _request_ids(),
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": event.bucket,
                "ownerIdentity": {"principalId": ACCOUNT},
                "arn": f"arn:aws:s3:::{event.bucket}",
            },
            "object": described,
        },
    }


def _body(seq: int, record: Document) -> str:
    """The message; `sequencer` orders the events of one key."""
    record["s3"]["object"]["sequencer"] = f"{seq:018X}"
    return json.dumps({"Records": [record]})


def _request_ids() -> dict[str, str]:
    return {"x-amz-request-id": secrets.token_hex(8).upper(), "x-amz-id-2": secrets.token_urlsafe(56)}


def _stamp() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
