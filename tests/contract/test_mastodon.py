"""The Mastodon source against real instances on loopback."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from postrank.options import WrongSettings
from postrank.posts import Post, Tombstone
from postrank.posts.formats.networks.mastodon_statuses import plain
from postrank.sources import Source
from postrank.sources.mastodon import Mastodon
from postrank.sources.mastodon.api import MastodonRefused, before, first_of
from postrank.sources.mastodon.events import Events, LineTooLong
from tests.support.fakes.mastodon import TOKEN, FakeMastodon, fake_mastodon, status
from tests.support.streaming.source_reader import built, reading

STREAMING = "/api/v1/streaming/"


@pytest.fixture
def server() -> Iterator[FakeMastodon]:
    with fake_mastodon() as fake:
        yield fake


def source(tmp_path: Path, *servers: FakeMastodon, token: str = TOKEN, **more: Any) -> Source:
    instances = [{"url": one.url, "token": token, **more.pop("instance", {})} for one in servers]
    found = built("mastodon", tmp_path / "state", instances=instances, **more)
    assert isinstance(found, Mastodon)
    for one in found.instances:  # the same rules, in less time
        one.lost.first = one.troubled.first = 0.1
    return found


def test_statuses_edits_and_deletes_are_read(server: FakeMastodon, tmp_path: Path) -> None:
    html = (
        '<p>Hello <a class="u-url mention" href="https://a/@bob">@bob</a><br>see <a href="https://x.example/">x</a></p>'
        "<p>a &amp; b</p>"
    )
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish(
            status(
                1,
                content=html,
                tags=[{"name": "Tag"}],
                mentions=[{"acct": "bob@a"}],
                in_reply_to_id="9",
                quote={"state": "accepted", "quoted_status": {"id": "8"}},
            )
        )
        server.publish(status(1, content="<p>changed</p>"), "status.update")
        server.send("delete", "1")
        server.send("filters_changed", "")
        read.until(lambda: read.ignored("unknown") == 1, "the unknown event")
    post, edit, delete = read.events
    host = server.url.removeprefix("http://")
    assert isinstance(post, Post)
    assert (post.network, post.author_handle, post.author_name) == (f"mastodon:{host}", f"user7@{host}", "User 7")
    assert post.text == "Hello @bob\nsee x\n\na & b"
    assert (post.hashtags, post.mentions, post.urls) == (["Tag"], ["bob@a"], ["https://x.example/"])
    assert (post.reply_to, post.quote_of, post.lang) == ("9", "8", "en")
    assert isinstance(edit, Post)
    assert (edit.kind, edit.text) == ("edit", "changed")
    assert delete == Tombstone(network=f"mastodon:{host}", post_id="1")


def test_the_streaming_host_is_the_one_that_the_instance_names(server: FakeMastodon, tmp_path: Path) -> None:
    with fake_mastodon() as other:
        server.streaming = other.url.replace("http", "ws")
        named = {"streaming_host": other.url.removeprefix("http://")}
        with reading(source(tmp_path, server, instance=named)) as read:
            read.until(lambda: other.feed.connected, "the connection")
        assert other.calls == ["/api/v1/streaming/public/local"]
        assert server.calls == ["/api/v2/instance"]


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_private_streaming_host_is_not_used_unless_it_is_configured(
    server: FakeMastodon, tmp_path: Path, scheme: str
) -> None:
    with fake_mastodon() as other:
        server.streaming = other.url.replace("http", scheme)
        instances = source(tmp_path, server)
        with reading(instances) as read:
            read.until(lambda: instances.gauges()["mastodon_reconnects"] >= 2, "the host to be refused")  # type: ignore[attr-defined]
        assert other.calls == []


def test_what_was_posted_during_a_disconnect_is_paged_from_the_timeline(server: FakeMastodon, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish(status(99))
        read.until_ids("99")
        server.refuse = [(503, None, {})]
        server.feed.disconnect()
        server.statuses += [status(number) for number in range(100, 190)]
        server.throttle = [(429, None, {"Retry-After": "0.2"}), (500, None, {})]
        read.until(lambda: len(read.gaps) == 2, "the gap")
        server.publish(status(200))
        read.until_ids("200")
    assert set(read.ids) == {str(number) for number in [*range(99, 190), 200]}
    assert [gap.recovered_by for gap in read.gaps] == [None, "timeline"]
    assert [query["min_id"] for query in server.queries] == [["99"]] * 3 + [["139"], ["179"], ["189"]]
    assert all(query["local"] == ["true"] for query in server.queries)


def test_a_streamer_that_ends_before_its_first_post_misses_none(server: FakeMastodon, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: read.cursor, "a cursor")
    missed = status(first_of(datetime.now(UTC)))
    server.statuses += [status(1), missed]
    with reading(source(tmp_path, server), after=read.cursor) as again:
        again.until_ids(missed["id"])
        again.until(lambda: len(again.gaps) == 2, "the gap to be filled")
    assert again.ids == [missed["id"]]


def test_a_gap_whose_timeline_is_away_waits_while_the_stream_goes_on_and_over_a_restart(
    server: FakeMastodon, tmp_path: Path
) -> None:
    with reading(source(tmp_path, server, calls=3)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish(status(99))
        read.until_ids("99")
        server.feed.disconnect()
        server.refuse = [(503, None, {})]
        read.until(lambda: server.refuse == [], "the loss of the connection")
        server.statuses += [status(number) for number in range(100, 220)]
        read.until_ids("139", "179", "219")
        server.publish(status(300))
        read.until_ids("300")
    assert json.loads(read.cursor or "")[server.url.removeprefix("http://")]["gaps"][0]["place"] == "219"
    with reading(source(tmp_path, server, calls=9), after=read.cursor) as again:
        again.until(lambda: sum(bool(gap.recovered_by) for gap in again.gaps) == 2, "both gaps to be filled")
    assert [query["min_id"][0] for query in server.queries[:4]] == ["99", "139", "179", "219"]


def test_several_instances_share_a_cursor_and_each_resumes_from_its_own_part(tmp_path: Path) -> None:
    with fake_mastodon() as one, fake_mastodon() as two:
        with reading(source(tmp_path, one, two)) as read:
            read.until(lambda: one.feed.connected and two.feed.connected, "the connections")
            one.publish(status(5))
            two.publish(status(7))
            read.until_ids("5", "7")
        one.statuses.append(status(6))
        two.statuses.append(status(8))
        with reading(source(tmp_path, one, two), after=read.cursor) as again:
            again.until_ids("6", "8")
        assert set(again.ids) == {"6", "8"}


def test_a_token_that_is_not_valid_is_fatal_and_says_what_is_needed(server: FakeMastodon, tmp_path: Path) -> None:
    with reading(source(tmp_path, server, token="wrong")) as read:
        error = read.until_failed()
    assert isinstance(error, MastodonRefused)
    assert "read:statuses" in str(error)
    assert server.count("/") == 1


@pytest.mark.parametrize(
    "description",
    [
        [1],
        "text",
        {"configuration": [1]},
        {"configuration": {"urls": "x"}},
        *({"configuration": {"urls": {"streaming": url}}} for url in ("wss://[", "ws://127.0.0.1:port", "nowhere", 5)),
    ],
    ids=range(8),
)
def test_an_instance_that_says_nonsense_of_itself_is_asked_again(
    server: FakeMastodon, tmp_path: Path, description: Any
) -> None:
    server.description = description
    one = source(tmp_path, server)
    with reading(one) as read:
        read.until(lambda: one.gauges()["mastodon_reconnects"] >= 1, "the nonsense to be noticed")  # type: ignore[attr-defined]
        server.description = None
        read.until(lambda: server.feed.connected, "the connection")


def test_a_refused_stream_is_fatal_and_troubles_are_waited_out(server: FakeMastodon, tmp_path: Path) -> None:
    server.refuse = [(502, None, {}), (429, None, {"Retry-After": "0.1"}), (401, None, {})]
    with reading(source(tmp_path, server)) as read:
        error = read.until_failed()
    assert isinstance(error, MastodonRefused)
    assert server.count(STREAMING) == 3


def test_a_stream_without_heartbeats_is_left(server: FakeMastodon, tmp_path: Path) -> None:
    with reading(source(tmp_path, server, stall_seconds=0.5)) as read:
        read.until(lambda: any(batch.heard for batch in read.batches), "a heartbeat")
        server.feed.silent = True
        read.until(lambda: server.count(STREAMING) >= 2, "the next connection")


@pytest.mark.parametrize(
    ("stream", "path"),
    [("public", "public"), ("public:remote", "public/remote"), ("hashtag:café", "hashtag")],
)
def test_other_streams_can_be_read(server: FakeMastodon, tmp_path: Path, stream: str, path: str) -> None:
    with reading(source(tmp_path, server, instance={"stream": stream})) as read:
        read.until(lambda: server.feed.connected, "the connection")
    assert server.calls[-1] == STREAMING + path


def test_wrong_options_are_named_together(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings) as wrong:
        built("mastodon", tmp_path, instances=[{"url": "ftp://a", "stream": "home"}], stall=1)
    for part in ("url must be a URL", "token is missing", "stream must be", "mastodon.stall"):
        assert part in str(wrong.value)


def test_a_gap_is_paged_from_a_little_before_the_newest_status() -> None:
    seen = (1_793_509_200_000 << 16) + 7
    assert before(str(seen)) == str(seen - (5000 << 16))
    assert [before(one) for one in ("17", "AbC123")] == ["17", "AbC123"]


@pytest.mark.parametrize("part", ["<a ", "<a/", "<p", "<!--", '<a href="', "<a b=c ", "&#9", "&#" + "9" * 5000 + ";"])
def test_html_of_a_hostile_server_takes_no_time(part: str) -> None:
    """Quadratic time would be hours for these, longer than any test may run."""
    text, urls = plain(part * (2_000_000 // len(part)))
    assert text is not None
    assert urls == []


def test_an_event_of_many_lines_has_an_end() -> None:
    events, endless = Events(), (b"data: x\n" * 100_000 + b"data: " + b"y" * 1_000_000 + b"\n") * 40
    with pytest.raises(LineTooLong, match="event longer than"):
        list(events.feed(endless))


def test_html_gives_its_lines_and_its_links_but_those_to_people_and_tags() -> None:
    link = '<a class="x" href="https://a.example/?b=1&amp;c=2" rel=nofollow>l</a>'
    mention, tag = (
        '<a href="https://b.example" class="u-url mention">@b</a>',
        "<a href='https://c.example' class='hashtag'>#c</a>",
    )
    html = f"<P>one<br/>two &lt;3</P><p>{link} {mention} {tag} <span>I <3 it</span></p>"
    assert plain(html) == ("one\ntwo <3\n\nl @b #c I <3 it", ["https://a.example/?b=1&c=2"])


def test_html_that_is_broken_still_gives_text() -> None:
    assert plain("<p>a<b>c")[0] == "ac"
    assert plain("&lt;b&gt; &#128512;")[0] == "<b> 😀"
