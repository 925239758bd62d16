"""The Bluesky source against real websockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zstandard

from localaws.testing.waiting import wait_for
from postrank.options import WrongSettings
from postrank.posts import Like, Post, Tombstone
from postrank.posts.times import to_text
from postrank.sources import Source
from postrank.sources.bluesky.stream import Refused
from postrank.sources.bluesky.wire import to_time
from tests.support.fakes.faulty_proxy import faulty_proxy
from tests.support.fakes.http_server import Handler, serving
from tests.support.fakes.jetstream import FakeJetstream, commit, fake_jetstream, record
from tests.support.streaming.source_reader import built, reading

ANN = "did:plc:ann"


def uri(rkey: str, did: str = ANN) -> str:
    return f"at://{did}/app.bsky.feed.post/{rkey}"


def source(tmp_path: Path, *servers: FakeJetstream, **more: Any) -> Source:
    return built("bluesky", tmp_path / "state", hosts=[one.url for one in servers], **{"directory": "none", **more})


@pytest.fixture(params=["v1", "v2"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server() -> Iterator[FakeJetstream]:
    with fake_jetstream() as fake:
        yield fake


def test_a_post_is_read_with_all_that_it_says(server: FakeJetstream, tmp_path: Path, protocol: str) -> None:
    text = "héllo @bob.example #tag https://x.example"
    place = len("héllo ".encode())
    facets = [
        {
            "index": {"byteStart": place, "byteEnd": place + 12},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:bob"}],
        },
        {
            "index": {"byteStart": 20, "byteEnd": 24},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "tag"}],
        },
        {
            "index": {"byteStart": 25, "byteEnd": 42},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}],
        },
    ]
    body = record(
        text,
        facets=facets,
        tags=["beside"],
        reply={"parent": {"uri": uri("p")}, "root": {"uri": uri("r")}},
        embed={"$type": "app.bsky.embed.record", "record": {"uri": uri("q"), "cid": "c"}},
    )
    with reading(source(tmp_path, server, protocol=protocol)) as read:
        read.until(lambda: server.connected, "the connection")
        server.publish({"did": ANN, "kind": "identity", "identity": {"did": ANN, "handle": "ann.example"}})
        server.publish(commit(ANN, "1", body))
        read.until_ids(uri("1"))
    [post] = read.events
    assert isinstance(post, Post)
    assert (post.network, post.author_id, post.author_handle, post.text) == ("bluesky", ANN, "ann.example", text)
    assert post.posted_at == "2026-11-01T05:00:00.000Z"
    assert (post.hashtags, post.mentions, post.urls) == (["beside", "tag"], ["bob.example"], ["https://x.example"])
    assert (post.reply_to, post.quote_of, post.lang) == (uri("p"), uri("q"), "en")
    assert read.ignored("identity") == 1


def test_edits_and_deletes_keep_the_post_s_id_and_a_deleted_account_takes_all_its_posts(
    server: FakeJetstream, tmp_path: Path, protocol: str
) -> None:
    with reading(source(tmp_path, server, protocol=protocol)) as read:
        read.until(lambda: server.connected, "the connection")
        server.publish(commit(ANN, "1", record("changed"), "update"))
        server.publish(commit(ANN, "1", None, "delete"))
        server.publish(
            {"did": ANN, "kind": "account", "account": {"did": ANN, "active": False, "status": "deactivated"}}
        )
        gone = {"did": ANN, "kind": "account", "account": {"did": ANN, "active": False, "status": "deleted"}}
        at = server.publish(gone)
        read.until_ids(f"author:{ANN}")
    edit, delete, account = read.events
    assert isinstance(edit, Post)
    assert edit.kind == "edit"
    assert delete == Tombstone(network="bluesky", post_id=uri("1"), author_id=ANN, source_cursor=delete.source_cursor)
    assert isinstance(account, Tombstone)
    assert (account.author_id, account.posted_at) == (ANN, to_text(to_time(at)))
    assert read.ignored("account_deactivated") == 1


def test_reposts_and_likes_are_read_where_they_are_asked_for(
    server: FakeJetstream, tmp_path: Path, protocol: str
) -> None:
    collections = ["app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like"]

    def engaged(collection: str, operation: str = "create") -> dict[str, Any]:
        body = {"subject": {"uri": uri("1"), "cid": "c"}, "createdAt": "2026-11-01T05:00:00.000Z"}
        event = commit("did:plc:bob", "9", None if operation == "delete" else body, operation)
        event["commit"]["collection"] = collection
        return event

    with reading(source(tmp_path, server, protocol=protocol, collections=collections)) as read:
        read.until(lambda: server.connected, "the connection")
        server.publish(commit(ANN, "1", record("a", mood="new")))
        for collection in collections[1:]:
            server.publish(engaged(collection))
            server.publish(engaged(collection, "delete"))
        read.until(lambda: len(read.events) == 5, "five events")
    asked = parse_qs(urlsplit(server.requests[-1]).query)
    assert asked["wantedCollections" if protocol == "v1" else "collections"] == collections
    post, repost, undone, like, withdrawn = read.events
    assert isinstance(repost, Post)
    assert (repost.kind, repost.repost_of, repost.repost_of_author) == ("repost", uri("1"), ANN)
    assert isinstance(like, Like)
    assert (like.author_id, like.like_of, like.like_of_author) == ("did:plc:bob", uri("1"), ANN)
    assert (undone.post_id, withdrawn.post_id) == (repost.post_id, like.post_id)
    assert post.post_id == uri("1")
    assert sum(batch.unknown_fields for batch in read.batches) == 1


def test_a_clock_that_is_ahead_or_before_1970_gives_way_to_the_server_s(server: FakeJetstream, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.connected, "the connection")
        at = 1_700_000_000_123_456
        server.publish(commit(ANN, "1", record("a", createdAt="2999-01-01T00:00:00Z")), at)
        server.publish(commit(ANN, "2", record("b", createdAt="0001-01-01T00:00:00Z")), at + 1)
        server.publish(commit(ANN, "3", record("c", createdAt="2015-01-01T00:00:00Z")), at + 2)
        read.until_ids(uri("3"))
    times = [post.posted_at for post in read.events if isinstance(post, Post)]
    assert times == ["2023-11-14T22:13:20.123Z"] * 2 + ["2015-01-01T00:00:00.000Z"]


def test_what_was_posted_while_a_host_was_down_comes_from_the_next_one_and_the_gap_is_a_row(tmp_path: Path) -> None:
    with fake_jetstream() as first, fake_jetstream() as second, reading(source(tmp_path, first, second)) as read:
        read.until(lambda: first.connected, "the connection")
        first.publish(commit(ANN, "1", record("1")))
        second.publish(commit(ANN, "1", record("1")), first.events[-1]["time_us"] - 3_000_000)  # its clock differs
        second.publish(commit(ANN, "2", record("2")), first.events[-1]["time_us"] - 2_000_000)
        read.until_ids(uri("1"))
        first.down = 503
        first.disconnect()
        read.until_ids(uri("2"))
        read.until(lambda: read.gaps, "the gap")
    [gap] = read.gaps
    assert gap.recovered_by == "cursor"
    assert first.url in gap.reason


def test_a_cursor_that_the_server_has_forgotten_is_a_gap(server: FakeJetstream, tmp_path: Path, protocol: str) -> None:
    start = 1_790_000_000_000_000
    for number in range(5):
        server.publish(commit(ANN, str(number), record(str(number))), start + number * 3_600_000_000)
    server.oldest = 3
    cursor = f'{{"time_us": {start}, "seq": 1, "host": "{server.url}"}}'
    with reading(source(tmp_path, server, protocol=protocol), after=cursor) as read:
        read.until_ids(uri("3"), uri("4"))
    [gap] = read.gaps
    assert gap.recovered_by is None
    assert (gap.until - gap.since).total_seconds() == 3 * 3600


def test_a_silent_connection_is_left(server: FakeJetstream, tmp_path: Path) -> None:
    server.silent = True
    with reading(source(tmp_path, server, stall_seconds=0.3)) as read:
        wait_for(lambda: len(server.requests) >= 2, what="a second connection")
        assert not any(batch.heard for batch in read.batches)


def test_zstd_frames_are_read_with_the_dictionary(tmp_path: Path, protocol: str) -> None:
    samples = [
        b'{"did":"did:plc:%d","kind":"commit","commit":{"collection":"app.bsky.feed.post"}}' % n for n in range(900)
    ]
    trained = zstandard.train_dictionary(2048, samples)
    path = tmp_path / "dictionary"
    path.write_bytes(trained.as_bytes())
    one = {"protocol": protocol, "zstd_dictionary": str(path)}
    with (
        fake_jetstream(dictionary=trained) as server,
        reading(source(tmp_path, server, keeps_originals=True, **one)) as read,
    ):
        read.until(lambda: server.connected, "the connection")
        server.publish(commit(ANN, "1", record("small")))
        server.send(b"\x28\xb5\x2f\xfdno")
        read.until(lambda: read.rejects, "the reject")
        read.until_ids(uri("1"))
    [original] = read.originals
    assert b'"small"' in original.json, "the text of the frame, not its compressed bytes"
    assert ("compress=true" if protocol == "v1" else f"zstdDictionary={trained.dict_id()}") in server.requests[0]


def test_an_error_frame_of_v2_ends_the_connection_and_the_stream_goes_on(server: FakeJetstream, tmp_path: Path) -> None:
    with reading(source(tmp_path, server, protocol="v2")) as read:
        read.until(lambda: server.connected, "the connection")
        server.publish(commit(ANN, "1", record("1")))
        read.until_ids(uri("1"))
        server.send('{"$type":"error","error":"ConsumerTooSlow","message":"behind"}')
        read.until(lambda: read.ignored("stream_error") == 1, "the error frame")
        read.until(lambda: len(server.requests) >= 2, "the next connection")
        server.publish(commit(ANN, "2", record("2")))
        read.until_ids(uri("2"))
    assert any("ConsumerTooSlow" in gap.reason for gap in read.gaps)
    assert "cursor=1" in server.requests[1]


def test_a_subscription_that_the_server_finds_wrong_is_fatal(server: FakeJetstream, tmp_path: Path) -> None:
    server.down, server.refusal = 400, "InvalidRequest: collections"
    with reading(source(tmp_path, server)) as read:
        error = read.until_failed()
    assert isinstance(error, Refused)
    assert "InvalidRequest: collections" in str(error)


@contextmanager
def did_directory(*answers: tuple[int, dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """A directory's URL and the paths that it was asked for; it begins with `answers`, then knows every DID."""
    asked: list[str] = []

    class Directory(Handler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers = answers[len(asked) - 1] if len(asked) <= len(answers) else (200, {})
            self.answer(status, {"alsoKnownAs": ["at://ann.example"]}, headers)

    with serving(None, Directory, None) as url:
        yield url, asked


def test_unknown_handles_are_asked_of_the_directory_once(server: FakeJetstream, tmp_path: Path) -> None:
    with did_directory() as (url, asked):
        one = source(tmp_path, server, directory=url, lookups_per_second=100.0)
        with reading(one) as read:
            read.until(lambda: server.connected, "the connection")
            server.publish(commit(ANN, "1", record("1")))
            read.until(lambda: one.gauges()["bluesky_handles_known"] == 1, "the lookup")  # type: ignore[attr-defined]
            server.publish(commit(ANN, "2", record("2")))
            read.until_ids(uri("2"))
    assert asked == [f"/{ANN}"]
    assert [getattr(event, "author_handle", "") for event in read.events] == [None, "ann.example"]


def test_a_directory_that_has_had_enough_is_left_alone_for_as_long_as_it_says(
    server: FakeJetstream, tmp_path: Path
) -> None:
    with did_directory((429, {"retry-after": "1"}), (429, {"ratelimit-reset": "99999999999"})) as (url, asked):
        one = source(tmp_path, server, directory=url, lookups_per_second=100.0)
        with reading(one) as read:
            read.until(lambda: server.connected, "the connection")
            for number in range(20):
                server.publish(commit(f"did:plc:{number}", "1", record("1")))
            read.until(lambda: len(asked) == 2, "the question after a second")
            for number in range(20, 25):
                server.publish(commit(f"did:plc:{number}", "1", record("1")))
            read.until(lambda: len(read.events) == 25, "all posts")
    assert len(asked) == 2
    assert one.gauges()["bluesky_handle_failures"] == 2  # type: ignore[attr-defined]


def test_wrong_options_are_named_together(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings) as wrong:
        built("bluesky", tmp_path, protocol="v3", hosts=[], stall_seconds=-1, stal_seconds=2)
    assert [problem.split()[0] for problem in wrong.value.problems] == [
        "bluesky.protocol",
        "bluesky.hosts",
        "bluesky.stall_seconds",
        "bluesky.stal_seconds",
    ]


def test_a_connection_that_is_cut_in_the_handshake_is_made_again(server: FakeJetstream, tmp_path: Path) -> None:
    with faulty_proxy(server.port) as proxy:
        proxy.fault = "reset"
        one = built("bluesky", tmp_path / "state", hosts=[proxy.url.replace("http", "ws")], directory="none")
        with reading(one) as read:
            read.until(lambda: one.gauges()["bluesky_reconnects"] >= 3, "three connections that are cut")  # type: ignore[attr-defined]
            proxy.fault = ""
            read.until(lambda: server.connected, "the connection")
            server.publish(commit(ANN, "1", record("hello")))
            read.until_ids(uri("1"))
