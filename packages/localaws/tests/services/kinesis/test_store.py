"""The parts beneath the Kinesis calls: buckets over a long time, retention, positions after a restart."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.limits import MIB, ShardLimits, limit_factor
from localaws.services.kinesis.streams.model import Shard, Stream
from localaws.services.kinesis.streams.record_store import Record, RecordStore
from localaws.services.kinesis.streams.sequence_numbers import position_of, sequence_number

HOUR_MS = 3_600_000


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 200_000), st.floats(0, 0.05)), min_size=50, max_size=400),
    st.sampled_from([0.5, 1.0, 4.0]),
)
def test_whatever_the_load_a_shard_never_takes_more_than_its_rate_and_one_second(load, factor):
    """Page "Quotas and limits" (Kinesis Data Streams): 1,000 records/s and 1 MB/s."""
    clock = Clock()
    limits = ShardLimits(factor, clock)
    records = size = 0
    for each, pause in load:
        clock.now += pause
        if limits.admit_write(each):
            records, size = records + 1, size + each
    assert records <= 1000 * factor * (clock.now + 1) + 1
    assert size <= MIB * factor * (clock.now + 1) + 200_000


def test_a_shard_takes_its_full_rate_for_as_long_as_it_is_asked():
    clock = Clock()
    limits = ShardLimits(1.0, clock)
    taken = 0
    for _ in range(20_000):
        clock.now += 0.0005
        taken += limits.admit_write(100)
    assert taken == pytest.approx(11_000, abs=2)


@pytest.mark.parametrize(("text", "factor"), [("off", None), ("OFF", None), ("1", 1.0), ("2.5", 2.5)])
def test_the_limits_setting_is_off_or_a_factor(text, factor):
    assert limit_factor(text) == factor


@pytest.mark.parametrize("text", ["", "0", "-1", "inf", "nan", "many"])
def test_any_other_limits_setting_is_refused_by_name(text):
    with pytest.raises(ValueError, match="LOCALAWS_KINESIS_LIMITS"):
        limit_factor(text)


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**32), st.integers(0, 20_000))
def test_a_sequence_number_leads_back_to_its_position(position, opened, number):
    shard = Shard(key=1, number=number, low=0, high=1, opened=float(opened))
    text = sequence_number(shard, position, time.time())
    assert position_of(text, shard) == position
    assert len(text) == 56
    assert position_of(text, Shard(key=2, number=number + 1, low=0, high=1, opened=float(opened))) is None


def opened(path):
    store = RecordStore(path)
    return store, Streams(store, speed=1000)


def test_records_past_their_retention_go_and_positions_go_on(tmp_path):
    """Page "Changing the data retention period"."""
    store, streams = opened(tmp_path / "records.sqlite")
    streams.add(Stream(name="s", created=time.time()), 1)
    (shard,) = streams.named("s").shards
    now = int(time.time() * 1000)
    ages = [30, 25, 23, 1]
    store.append((shard.key, Record(n, now - age * HOUR_MS, "k", b"x")) for n, age in enumerate(ages, start=1))
    streams.advance(shard.key, 4, now - HOUR_MS)
    streams.trim()
    assert [row.position for row in store.read(shard.key, 0, 100, MIB)] == [3, 4]
    store.close()
    store, streams = opened(tmp_path / "records.sqlite")
    assert streams.tail(shard.key) == (4, now - HOUR_MS)
    store.close()


def test_a_shard_whose_records_are_all_too_old_still_knows_its_last_position(tmp_path):
    store, streams = opened(tmp_path / "records.sqlite")
    streams.add(Stream(name="s", created=time.time()), 1)
    (shard,) = streams.named("s").shards
    old = int(time.time() * 1000) - 48 * HOUR_MS
    store.append((shard.key, Record(n, old, "k", b"x")) for n in (1, 2, 3))
    streams.advance(shard.key, 3, old)
    streams.trim()
    store.close()
    store, streams = opened(tmp_path / "records.sqlite")
    assert streams.tail(shard.key)[0] == 3
    store.close()


def test_a_moment_is_found_among_records_by_bisection(tmp_path):
    store, streams = opened(tmp_path / "records.sqlite")
    streams.add(Stream(name="s", created=time.time()), 1)
    (shard,) = streams.named("s").shards
    arrivals = [10, 10, 20, 20, 20, 30]
    store.append((shard.key, Record(n, at, "k", b"x")) for n, at in enumerate(arrivals, start=1))
    result = {moment: store.before(shard.key, moment) for moment in (5, 10, 11, 20, 25, 30, 31)}
    assert result == {5: 0, 10: 0, 11: 2, 20: 2, 25: 5, 30: 5, 31: 6}
    store.close()
