"""Whatever a network sends, reading it gives an event, an ignored message or a reject with a reason."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postrank.posts import Ignored, Log, Malformed, Post, Tombstone
from postrank.posts.encoding import encode
from postrank.posts.formats.access_log import APACHE, APACHE_TIME, LogFormat
from postrank.posts.formats.detect import parse_line
from postrank.sources.bluesky.wire import V1, V2
from postrank.sources.mastodon.events import outcome
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.x.messages import StreamError, absorb
from tests.support.fakes.jetstream import V2_PATH, commit, record
from tests.support.fakes.mastodon import status
from tests.support.fakes.x import post
from tests.support.streaming.streamers import record as native

FACETS = [
    {
        "index": {"byteStart": 0, "byteEnd": 4},
        "features": [
            {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:b"},
            {"$type": "app.bsky.richtext.facet#tag", "tag": "t"},
            {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example"},
        ],
    }
]
BODY = record(
    "@bob", facets=FACETS, tags=["t"], reply={"parent": {"uri": "at://a"}}, embed={"record": {"uri": "at://b"}}
)
COMMIT = commit("did:plc:ann", "1", BODY)
V2_COMMIT = {
    "$type": "message",
    "payload": {
        "$type": f"{V2_PATH}#commit",
        "did": "did:plc:ann",
        "seq": 5,
        "time": "2026-11-01T05:00:00.000001Z",
        **COMMIT["commit"],
    },
}
ENTITIES = {"hashtags": [{"tag": "a"}], "mentions": [{"username": "b"}], "urls": [{"url": "c"}]}
X_POST = post(
    12, entities=ENTITIES, referenced_tweets=[{"type": "quoted", "id": "3"}], edit_history_tweet_ids=["1", "12"]
)
STATUS = status(
    1, tags=[{"name": "t"}], mentions=[{"acct": "b"}], quote={"quoted_status": {"id": "8"}}, reblog={"id": "4"}
)
JETSTREAM = {**COMMIT, "time_us": 1_790_000_000_000_000}
ACCOUNT = {"did": "d", "kind": "account", "time_us": 5, "account": {"active": False, "status": "deleted"}}
IDENTITY = {"did": "d", "kind": "identity", "time_us": 5, "identity": {"handle": "h"}}
ERROR = {"errors": [{"title": "operational-disconnect", "disconnect_type": "a", "type": "b/operational-disconnect"}]}

V1_POST = {
    "id_str": "5",
    "created_at": "Sat Aug 10 11:00:00 +0000 2013",
    "user": {"id_str": "7", "screen_name": "ann"},
    "retweeted_status": {"id_str": "3"},
    "entities": {"hashtags": [{"text": "t"}], "urls": [{"url": "u"}], "user_mentions": [{"screen_name": "m"}]},
}
V1_DELETE = {"delete": {"status": {"id_str": "1", "user_id_str": "2"}}}
USER_GONE = {"data": {"user_delete": {"user": {"id": "1"}, "event_at": "2026-05-01T12:00:00Z"}}}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["", "0", "-1", "9" * 40]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def gathered(read: Callable[[bytes, Gathering], object]) -> Callable[[bytes], list[Any]]:
    def outcomes(data: bytes) -> list[Any]:
        found = Gathering(where="test")
        try:
            read(data, found)
        except StreamError:
            assert found.ignored["errors"] == 1
        assert found.read == len(found.events) + len(found.rejects) + sum(found.ignored.values())
        return list(found.events)

    return outcomes


READERS: dict[str, tuple[Callable[[bytes], Any], list[dict[str, Any]]]] = {
    "x": (gathered(absorb), [X_POST, ERROR, {"data": {"delete": {"tweet": {"id": "1"}}}}]),
    "mastodon": (lambda data: [outcome("update", data, "host"), outcome("delete", data, "host")], [STATUS]),
    "bluesky v1": (lambda data: [V1().parse(data).outcome], [JETSTREAM, ACCOUNT, IDENTITY]),
    "bluesky v2": (lambda data: [V2().parse(data).outcome], [V2_COMMIT]),
    "files": (lambda data: list(parse_line(data)[0]), [native(1), V1_POST, X_POST, V1_DELETE, USER_GONE]),
}


def swollen(text: str) -> list[str]:
    """The text with one of its numbers far too large."""
    return [text[: one.start()] + "9" * 30 + text[one.end() :] for one in re.finditer(r"\d+", text)]


def check(outcomes: list[Any]) -> None:
    """Each is one of the four; an event can be written as a line, a reject says why."""
    for one in outcomes:
        assert isinstance(one, Post | Log | Tombstone | Ignored | Malformed)
        if isinstance(one, Post | Log | Tombstone):
            line = orjson.loads(encode(one, received_at="2026-11-01T05:00:00.000Z", collector="c"))
            assert line["post_id"]
        elif isinstance(one, Malformed):
            assert str(one)


@pytest.mark.parametrize("network", list(READERS))
@given(data=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_bytes(network: str, data: bytes) -> None:
    check(READERS[network][0](data))


@pytest.mark.parametrize("network", list(READERS))
@given(message=JSON)
@settings(max_examples=150, deadline=None)
def test_any_json(network: str, message: Any) -> None:
    check(READERS[network][0](json.dumps(message).encode()))


@pytest.mark.parametrize("network", list(READERS))
@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_a_good_message_with_one_part_replaced_or_gone(network: str, data: st.DataObject) -> None:
    read, messages = READERS[network]
    message = copy.deepcopy(data.draw(st.sampled_from(messages)))
    path = data.draw(st.sampled_from(list(_places(message))))
    inner: Any = message
    for step in path[:-1]:
        inner = inner[step]
    part = inner[path[-1]]
    if isinstance(part, str) and data.draw(st.booleans()):
        inner[path[-1]] = data.draw(st.sampled_from(swollen(part) or [""]))
    elif data.draw(st.booleans()):
        inner[path[-1]] = data.draw(JSON)
    else:
        del inner[path[-1]]
    check(read(json.dumps(message).encode()))


@pytest.mark.parametrize("network", list(READERS))
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"kind": "commit", "time_us": 1e400}',
        b'"\xff"',
        b'{"time_us": 9223372036854775807, "did": "d", "kind": "commit", "commit": {}}',
        b'{"data": null, "errors": null}',
        b"null",
        b"\x00" * 1000,
        orjson.dumps({**V1_POST, "created_at": f"Sat Aug 10 11:00:{'9' * 30} +0000 2013"}),
        b'{"text": "\\ud800"}',
        orjson.dumps(post(12, edit_history_tweet_ids=["11" + "0" * 20, "12"])),
        orjson.dumps(post(12, edit_history_tweet_ids=["9" * 5000, "12"])),
    ],
    ids=range(12),
)
def test_known_traps(network: str, data: bytes) -> None:
    check(READERS[network][0](data))


ACCESS = b'192.0.2.7 - ann [10/Oct/2025:13:55:36 -0700] "GET /a HTTP/1.1" 404 12 "-" "Mozilla/5.0"'
FORMATS = [
    LogFormat(network="logs", pattern=re.compile(APACHE), author="client", time_format=APACHE_TIME),
    LogFormat(network="logs", pattern=re.compile(APACHE), author="client", time_format=APACHE_TIME, as_posts=False),
    LogFormat(network="logs", pattern=re.compile(r"(?P<posted_at>\S+) (?P<author_id>\S*) (?P<text>.*)")),
]


@pytest.mark.parametrize("form", FORMATS, ids=["apache", "requests", "regex"])
@given(at=st.integers(0, len(ACCESS)), gone=st.integers(0, 20), put=st.binary(max_size=20))
@example(at=0, gone=0, put=b"2025-10-10T25:00:00Z ann \xff")
@example(at=0, gone=99, put=b"9999-12-31T23:59:59.999-23:59 ann far ahead")
@example(at=0, gone=99, put=b"0001-01-01T00:00:00+23:59 ann before all")
@settings(max_examples=300, deadline=None)
def test_a_line_of_a_log_with_a_part_replaced(form: LogFormat, at: int, gone: int, put: bytes) -> None:
    check(list(form.outcome(ACCESS[:at] + put + ACCESS[at + gone :], "file-0")))


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """The path of every part of a message."""
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from _places(inner, (*path, step))
