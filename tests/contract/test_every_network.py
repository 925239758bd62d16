"""What every source must do, whichever its network, files among them: one suite over all of them."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from postrank.posts import Post
from postrank.posts.encoding import encode
from postrank.posts.formats.detect import parse_line
from postrank.sources import Batch, Cursor, Measured
from tests.support.streaming.networks import NETWORKS, SOURCES, Network
from tests.support.streaming.source_reader import Reading, reading


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    with NETWORKS[request.param]() as found:
        yield found


@pytest.fixture(params=list(SOURCES))
def any_source(request: pytest.FixtureRequest) -> Iterator[Network]:
    """Networks and files alike."""
    with SOURCES[request.param]() as found:
        yield found


@pytest.fixture
def read(network: Network, tmp_path: Path) -> Iterator[Reading]:
    """The source, connected and being read."""
    with given(network, tmp_path / "state") as found:
        yield found


@contextmanager
def given(
    network: Network, state: Path, *happening: Callable[[], object], after: Cursor | None = None
) -> Iterator[Reading]:
    """The source being read, connected, after these things happened before its eyes (to a file: before)."""
    for happens in () if network.live else happening:
        happens()
    with reading(network.source(state), after) as found:
        found.until(network.connected, "the connection")
        for happens in happening if network.live else ():
            happens()
        yield found


def test_posts_come_in_their_order(any_source: Network, tmp_path: Path) -> None:
    published: list[str] = []

    def publish() -> None:
        published.extend(any_source.publish(number) for number in range(100, 150))

    with given(any_source, tmp_path / "state", publish) as read:
        read.until(lambda: len(read.ids) >= 50, "the posts")
        assert read.ids == published


def test_every_post_is_a_line_of_the_contract_that_reads_back_the_same(any_source: Network, tmp_path: Path) -> None:
    with given(any_source, tmp_path / "state", partial(any_source.publish, 100)) as read:
        read.until(lambda: read.events, "the post")
        [post] = read.events
    line = encode(post, received_at="2026-11-01T05:00:00.000Z", collector="c")
    assert {"kind", "network", "post_id", "author_id", "posted_at", "text"} <= json.loads(line).keys()
    [back], unknown = parse_line(line)
    assert unknown == 0
    assert isinstance(back, Post)
    back.source_cursor = post.source_cursor
    assert back == post


def test_the_json_of_posts_comes_with_them_where_it_is_asked_for(any_source: Network, tmp_path: Path) -> None:
    if not any_source.live:
        any_source.publish(100)
        any_source.publish(101)
    with reading(any_source.source(tmp_path / "state", keeps_originals=True)) as read:
        read.until(any_source.connected, "the connection")
        if any_source.live:
            any_source.publish(100)
            any_source.publish(101)
        read.until(lambda: len(read.ids) >= 2, "the posts")
    for batch in read.batches:
        assert [original.post for original in batch.originals] == batch.events
        for original in batch.originals:
            text = json.dumps(json.loads(original.json))
            assert original.post.post_id.rpartition("/")[2] in text
            assert (original.post.text or "") in text
            assert any_source.secret == "" or any_source.secret not in text


def test_nobody_who_does_not_ask_gets_the_json_of_posts(any_source: Network, tmp_path: Path) -> None:
    with given(any_source, tmp_path / "state", partial(any_source.publish, 100)) as read:
        read.until(lambda: read.events, "the post")
    assert not any(batch.originals for batch in read.batches)


def test_every_message_read_is_an_event_a_reject_or_ignored(any_source: Network, tmp_path: Path) -> None:
    happening = (
        partial(any_source.publish, 100),
        any_source.unknown,
        any_source.malformed,
        partial(any_source.publish, 101),
    )
    with given(any_source, tmp_path / "state", *happening) as read:
        read.until(lambda: len(read.events) == 2 and read.rejects, "both posts and the reject")
        read.until(lambda: any(batch.ignored for batch in read.batches), "what is ignored")
    for batch in read.batches:
        assert batch.read == len(batch.events) + len(batch.rejects) + sum(batch.ignored.values())
    [reject] = read.rejects
    assert reject.reason
    assert reject.where
    assert (reject.offset is not None) == (any_source.name in ("tail", "replay", "kafka"))
    assert sum(sum(batch.ignored.values()) for batch in read.batches) == 1


BAD = {
    "no JSON": b"{cut",
    "NUL": b"\x00" * 100,
    "invalid UTF-8": b'{"kind": "post", "text": "\xff\xfe"}',
    "a lone surrogate": b'{"kind": "post", "network": "x", "text": "\\ud800"}',
    "a nested bomb": b"[" * 200_000,
    "a nested bomb of objects": b'{"data":' * 200_000,
    "no object": b"[1, 2]",
    "10 MB": b'{"kind": "' + b"k" * (10 << 20) + b'"}',
}


def test_what_is_broken_is_told_and_reading_goes_on(any_source: Network, tmp_path: Path) -> None:
    happening = [partial(any_source.raw, data) for data in BAD.values()]
    with given(any_source, tmp_path / "state", *happening, partial(any_source.publish, 100)) as read:
        read.until(lambda: sum(batch.read - len(batch.events) for batch in read.batches) >= len(BAD), "all of it")
        if any_source.live:
            read.until(any_source.connected, "the connection")
            any_source.publish(101)
        read.until(lambda: read.ids, "a post behind it")
    assert sum(batch.read - len(batch.events) for batch in read.batches) == len(BAD), "each of it once"
    assert len(read.rejects) >= len(BAD) - 1
    assert all(reject.reason and len(reject.line) <= 4096 for reject in read.rejects)


def told(read: Reading, network: Network) -> bool:
    """Whether a gap was told, and what filled it where the network gives again what was missed."""
    return any(bool(gap.recovered_by) == network.resumes for gap in read.gaps)


def test_after_a_restart_reading_goes_on_from_the_cursor(network: Network, tmp_path: Path) -> None:
    with given(network, tmp_path / "state") as first:
        first.until_ids(network.publish(100))
    missed = network.publish(101)
    with given(network, tmp_path / "state", after=first.cursor) as second:
        if network.resumes:
            second.until_ids(missed, network.publish(102))
        second.until(lambda: told(second, network), "the gap")
    assert {gap.reason.rpartition(": ")[2] for gap in second.gaps} == {"the streamer was not running"}


def test_no_cursor_passes_over_a_post_that_was_not_given_before_it(any_source: Network, tmp_path: Path) -> None:
    """A restart from the cursor of any batch gives all that came after that batch."""
    with given(any_source, tmp_path / "state", *[partial(any_source.publish, n) for n in range(100, 110)]) as read:
        read.until(lambda: len(read.ids) >= 10, "the posts")
    every = read.ids
    given_by_then = 0
    for batch in list(read.batches):
        given_by_then += len(batch.events)
        if not batch.cursor or not any_source.resumes or given_by_then == len(every):
            continue
        with given(any_source, tmp_path / "state", after=batch.cursor) as again:
            again.until_ids(*every[given_by_then:])


def test_a_disconnect_is_survived_and_is_a_row_in_the_gap_ledger(network: Network, read: Reading) -> None:
    read.until_ids(network.publish(100))
    network.disconnect()
    read.until(lambda: reconnects(read), "the loss of the connection to be noticed")
    missed = network.publish(101)
    read.until(lambda: network.opened() > 1, "the next connection")
    read.until_ids(network.publish(102), *([missed] if network.resumes else []))
    read.until(lambda: told(read, network), "the gap")
    [gap] = [gap for gap in read.gaps if not gap.again]
    assert gap.since <= gap.until
    assert gap.reason


def test_silence_is_not_taken_for_contact(network: Network, tmp_path: Path) -> None:
    with reading(network.source(tmp_path / "state", stall_seconds=0.6)) as read:
        read.until(network.connected, "the connection")
        read.until_ids(network.publish(100))
        network.silence(True)
        seen = len(read.batches)
        read.until(lambda: _lost(read.batches[seen:]), "batches that say that nothing was heard")
        read.until(lambda: reconnects(read), "the reconnection")
        network.silence(False)
        read.until(lambda: read.gaps, "the gap")


def _lost(batches: list[Batch]) -> bool:
    return sum(not batch.heard for batch in batches) >= 2


def reconnects(read: Reading) -> float:
    """How often the source has lost its connection, by its own figures."""
    assert isinstance(read.source, Measured)
    return next(figure for name, figure in read.source.gauges().items() if name.endswith("_reconnects"))


@contextmanager
def silent(network: Network, state: Path) -> Iterator[Reading]:
    """The source after one post, since which nothing comes."""
    then = [] if network.live else [lambda: network.silence(True)]
    with given(network, state, partial(network.publish, 1), *then) as read:
        read.until(lambda: read.events, "the post")
        if network.live:
            network.silence(True)
        yield read


def test_signs_of_life_come_every_second_even_when_nothing_else_does(any_source: Network, tmp_path: Path) -> None:
    with silent(any_source, tmp_path / "state") as read:
        seen = len(read.batches)
        read.until(lambda: len(read.batches) > seen + 2, "three batches", timeout=30.0)


def test_stopping_is_prompt_while_nothing_comes(any_source: Network, tmp_path: Path) -> None:
    with silent(any_source, tmp_path / "state") as read:
        read.source.stop()
        assert read.thread
        read.thread.join(patient(10.0))
        assert not read.thread.is_alive()
        assert len(read.events) == 1


def test_secrets_are_in_no_log_line_error_or_description(
    network: Network, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = network.source(tmp_path / "state")
    with reading(source) as read:
        read.until(network.connected, "the connection")
        read.until_ids(network.publish(100))
        network.disconnect()
        read.until(lambda: read.gaps, "the reconnection")
    assert not network.secret or network.secret not in caplog.text + repr(source)
