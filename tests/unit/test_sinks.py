"""Packing, calls and rates: the arithmetic of the sinks."""

import gzip
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from postrank.sinks import POSTS, Record
from postrank.sinks.kinesis import CALL_BYTES, CALL_RECORDS, calls
from postrank.sinks.packing import PAYLOAD_UNIT, Packer
from postrank.sinks.rate import Rate

lines = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 40_000)), max_size=60)


@given(lines, st.booleans())
def test_packing_keeps_every_line_whole_and_each_author_in_order(drawn: list[tuple[str, int]], gzipped: bool) -> None:
    packer = Packer(POSTS, gzipped=gzipped)
    sent: dict[str, list[bytes]] = {}
    for number, (author, size) in enumerate(drawn):
        line = f"{author}{number}".encode().ljust(size, b".") + b"\n"
        packer.add(author, line)
        sent.setdefault(author, []).append(line)
    came: dict[str, list[bytes]] = {}
    for record in packer.take():
        data = gzip.decompress(record.data) if gzipped else record.data
        found = data.splitlines(keepends=True)
        assert record.lines == len(found)
        assert len(data) <= PAYLOAD_UNIT or len(found) == 1
        for line in found:
            came.setdefault(line[:1].decode(), []).append(line)
    assert came == sent
    assert packer.take() == []


def test_gzipped_records_joined_are_one_gzip_file() -> None:
    packer = Packer(POSTS, gzipped=True)
    for number in range(1000):
        packer.add(str(number), b"%d\n" % number)
    joined = gzip.decompress(b"".join(record.data for record in packer.take()))
    assert sorted(map(int, joined.split())) == list(range(1000))


@given(st.lists(st.integers(1, 1_000_000), max_size=1200))
def test_calls_hold_what_put_records_allows_and_leave_nothing_out(sizes: list[int]) -> None:
    records = [Record(POSTS, "0001", bytes(size % 1000) * (size // 1000), 1) for size in sizes]
    made = list(calls(records))
    assert [record for call in made for record in call] == records
    for call in made:
        assert len(call) <= CALL_RECORDS
        assert sum(len(record.data) + len(record.key) for record in call) <= CALL_BYTES


def test_a_rate_is_cut_below_what_was_taken_and_grows_again() -> None:
    rate, going_on = Rate(), threading.Event()
    rate.note(1_000_000, 0.05)
    assert rate.limit is None  # a few refusals are one busy shard
    rate.note(0, 0.8)
    assert rate.limit is not None
    limit = rate.limit
    began = time.monotonic()
    rate.wait(round(limit / 10), going_on)
    rate.wait(round(limit / 10), going_on)
    assert time.monotonic() - began >= 0.09
    going_on.set()
    rate.wait(round(limit * 100), going_on)  # returns at once
    assert time.monotonic() - began < 5
