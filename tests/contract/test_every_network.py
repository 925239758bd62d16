"""What every network source must do, whichever its network: one suite over all of them."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from postrank.sources import Batch, Measured
from tests.support.networks import NETWORKS, Network
from tests.support.reading import Reading, reading


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    with NETWORKS[request.param]() as found:
        yield found


@pytest.fixture
def read(network: Network, tmp_path: Path) -> Iterator[Reading]:
    """The source, connected and being read."""
    with reading(network.source(tmp_path / "state")) as found:
        found.until(network.connected, "the connection")
        yield found


def test_posts_come_in_their_order(network: Network, read: Reading) -> None:
    published = [network.publish(number) for number in range(100, 150)]
    read.until_ids(*published)
    assert read.ids == published


def test_every_message_read_is_an_event_a_reject_or_ignored(network: Network, read: Reading) -> None:
    network.publish(100)
    network.unknown()
    network.malformed()
    read.until_ids(network.publish(101))
    read.until(lambda: read.rejects and read.ignored("unknown"), "the rest")
    for batch in read.batches:
        assert batch.read == len(batch.events) + len(batch.rejects) + sum(batch.ignored.values())
    [reject] = read.rejects
    assert reject.reason
    assert reject.where.startswith(network.name)
    assert read.ignored("unknown") == 1


def test_after_a_restart_reading_goes_on_from_the_cursor(network: Network, tmp_path: Path) -> None:
    with reading(network.source(tmp_path / "state")) as first:
        first.until(network.connected, "the connection")
        first.until_ids(network.publish(100))
    missed = network.publish(101)
    with reading(network.source(tmp_path / "state"), after=first.cursor) as second:
        second.until(network.connected, "the connection")
        if network.resumes:
            second.until_ids(missed, network.publish(102))
        second.until(lambda: second.gaps, "the gap")
    assert "was not running" in second.gaps[0].reason
    assert bool(second.gaps[0].recovered_by) == network.resumes


def test_a_disconnect_is_survived_and_is_a_row_in_the_gap_ledger(network: Network, read: Reading) -> None:
    read.until_ids(network.publish(100))
    network.disconnect()
    read.until(lambda: reconnects(read), "the loss of the connection to be noticed")
    missed = network.publish(101)
    read.until(lambda: network.opened() > 1, "the next connection")
    read.until_ids(network.publish(102), *([missed] if network.resumes else []))
    read.until(lambda: read.gaps, "the gap")
    [gap] = read.gaps
    assert gap.since <= gap.until
    assert gap.reason
    assert bool(gap.recovered_by) == network.resumes


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


def test_signs_of_life_come_every_second_even_when_nothing_else_does(network: Network, read: Reading) -> None:
    network.silence(True)
    seen = len(read.batches)
    read.until(lambda: len(read.batches) > seen + 2, "three batches", timeout=30.0)


def test_stopping_is_prompt_while_the_server_is_away(network: Network, tmp_path: Path) -> None:
    with reading(network.source(tmp_path / "state")) as read:
        read.until(network.connected, "the connection")
        network.silence(True)
        read.source.stop()
        assert read.thread
        read.thread.join(10.0)
        assert not read.thread.is_alive()


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
