"""Packing, calls and rates: the arithmetic of the sinks."""

import gzip
from base64 import b64encode
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postrank.aws.put_records import encode_records
from postrank.sinks import POSTS, Record
from postrank.sinks.kinesis import CALL_BYTES, CALL_RECORDS, calls
from postrank.sinks.packing import PAYLOAD_UNIT, RECORD_LIMIT, LinePacker, Packer, split, too_large
from postrank.sinks.pauses import pause_before
from postrank.sinks.rate import Rate

lines = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 40_000)), max_size=60)


@given(lines, st.booleans())
def test_packing_keeps_every_line_whole_and_each_author_in_order(drawn: list[tuple[str, int]], gzipped: bool) -> None:
    packer = Packer(POSTS, gzipped=gzipped)
    sent: dict[str, list[bytes]] = {}
    for number, (author, size) in enumerate(drawn):
        line = f"{author}{number}".encode().ljust(size, b".") + b"\n"
        packer.add([author], [line])
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
        packer.add([str(number)], [b"%d\n" % number])
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


MIB = 1 << 20


def weighing(*sizes: int) -> list[Record]:
    """Records whose data and keys have these sizes together."""
    return [Record(POSTS, "0001", bytes(size - 4), 1) for size in sizes]


@pytest.mark.parametrize(
    ("records", "counts"),
    [
        (weighing(*[10] * CALL_RECORDS), [500]),
        (weighing(*[10] * (CALL_RECORDS + 1)), [500, 1]),
        (weighing(900_000, CALL_BYTES - 900_000), [2]),
        (weighing(900_000, CALL_BYTES - 899_999), [1, 1]),
        (weighing(CALL_BYTES + 1, 10), [1, 1]),
    ],
    ids=["500 records", "501 records", "all bytes", "a byte too many", "a record that is too large alone"],
)
def test_a_call_is_filled_to_its_last_record_and_byte(records: list[Record], counts: list[int]) -> None:
    assert (CALL_RECORDS, CALL_BYTES < 5 * MIB) == (500, True)
    assert [len(call) for call in calls(records)] == counts


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [([60, 40], [2]), ([60, 41], [1, 1]), ([101, 1], [1, 1]), ([100, 60, 40, 1], [1, 2, 1]), ([], [])],
)
def test_a_record_is_filled_to_its_last_byte(sizes: list[int], counts: list[int]) -> None:
    assert [len(part) for part in split([b"." * size for size in sizes], 100)] == counts


def test_records_are_filled_to_a_payload_unit_of_25_kilobytes() -> None:
    packer = Packer(POSTS)
    packer.add(["a"] * 256, [b"." * 1023 + b"\n"] * 256)
    assert [len(record.data) for record in packer.take()] == [25 * 1024] * 10 + [6 * 1024]


def test_a_line_is_rejected_from_the_first_byte_that_no_record_holds() -> None:
    assert RECORD_LIMIT == 1_000_000
    assert too_large(b"." * RECORD_LIMIT, "file:7") is None
    reject = too_large(b"." * (RECORD_LIMIT + 1), "file:7")
    assert reject is not None
    assert (reject.reason, reject.where) == (
        "its line has 1000001 bytes, more than the 1000000 that a record holds",
        "file:7",
    )


def test_authors_are_spread_over_all_partition_keys_and_each_keeps_its_own() -> None:
    keys: dict[str, set[str]] = {}
    for _ in range(2):
        packer = Packer(POSTS)
        for number in range(1000):
            packer.add([f"author {number}"], [b"author %d\n" % number])
        for record in packer.take():
            for line in record.data.splitlines():
                keys.setdefault(line.decode(), set()).add(record.key)
    assert {len(own) for own in keys.values()} == {1}
    assert set.union(*keys.values()) == {f"{bucket:04x}" for bucket in range(32)}


class Clock:
    """A time that only moves when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_few_refusals_are_one_busy_shard_and_set_no_limit() -> None:
    rate = Rate(Clock())
    rate.note(950_000, 50_000)
    assert rate.limit is None
    assert rate.pause(10_000_000) == 0


@pytest.mark.parametrize(("seconds", "limit"), [(0.0, 5_000_000.0), (0.05, 10_000_000.0), (0.5, 2_000_000.0)])
def test_a_first_cut_goes_by_what_was_taken_in_the_time_until_then(seconds: float, limit: float) -> None:
    clock = Clock()
    rate = Rate(clock)
    taken = round(limit * max(seconds, 0.1) / 0.7)
    if seconds:
        rate.note(taken // 2, 0)
        clock.now += seconds
    rate.note(taken - taken // 2 if seconds else taken, taken)
    assert rate.limit == pytest.approx(limit)


def test_a_rate_has_a_floor_and_takes_one_entry_at_least() -> None:
    rate = Rate(Clock())
    rate.note(0, 1_000_000)
    assert rate.limit == 50_000.0
    assert rate.share([60_000, 10]) == 1
    assert rate.share([20_000, 30_000, 10]) == 2
    assert rate.share([]) == 1


def test_a_tenth_of_the_bytes_may_be_refused_before_the_rate_is_cut() -> None:
    for refused, is_cut in ((100_000, False), (100_001, True)):
        rate = Rate(Clock())
        rate.note(1_000_000 - refused, refused)
        assert (rate.limit is not None) is is_cut


@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.05), (1, 0.1), (6, 3.2), (7, 5.0), (10_000, 5.0)])
def test_pauses_double_up_to_the_longest_and_are_jittered(attempt: int, longest: float) -> None:
    pauses = [pause_before(attempt, 0.05, 5.0) for _ in range(2000)]
    assert all(0.2 * longest <= pause <= longest for pause in pauses)
    assert min(pauses) < 0.3 * longest < 0.9 * longest < max(pauses)


@pytest.mark.parametrize("packer", [Packer(POSTS), LinePacker(POSTS)])
def test_a_packer_knows_how_much_it_holds(packer: Packer | LinePacker) -> None:
    for _ in range(2):
        assert (packer.lines, packer.size, packer.take()) == (0, 0, [])
        packer.add(["a", "b"], [b"1\n", b"234\n"])
        packer.add(["a"], [b"5\n"])
        assert (packer.lines, packer.size) == (3, 8)
        assert sum(record.lines for record in packer.take()) == 3


def test_calls_are_spread_so_that_they_keep_to_the_limit() -> None:
    clock = Clock()
    rate = Rate(clock, limit=100_000.0)
    assert [rate.pause(50_000) for _ in range(3)] == [0.0, 0.5, 1.0]
    clock.now += 10
    assert rate.pause(50_000) == 0


@pytest.mark.parametrize("capacity", [200_000.0, 1_000_000.0, 4_000_000.0])
@pytest.mark.parametrize("entries", [1, 10, 160])
def test_a_rate_settles_at_what_the_shards_take(capacity: float, entries: int) -> None:
    """Shards that hold a second's worth and refill, and a collector that always has more to send."""
    clock = Clock()
    rate, level, filled, total = Rate(clock), capacity, clock.now, 0
    while clock.now < 1060:
        size = rate.share([25_000] * entries) * 25_000
        clock.now += rate.pause(size) + 0.001
        level, filled = min(capacity, level + (clock.now - filled) * capacity), clock.now
        taken = min(size, int(level // 25_000) * 25_000)
        level -= taken
        rate.note(taken, size - taken)
        if clock.now > 1020:
            assert rate.limit is not None
            assert rate.limit < 2 * capacity
            total += taken
    assert total / 40 > 0.65 * capacity


def test_after_an_outage_in_which_nothing_was_taken_the_rate_is_back_within_seconds() -> None:
    clock = Clock()
    rate = Rate(clock)
    for _ in range(30):  # throttled, all of it
        clock.now += 1.0
        rate.note(0, 25_000)
    assert rate.limit == 50_000.0
    clock.now += 1.0
    rate.note(25_000, 25_000)  # the outage ended in the middle of this window
    ended = clock.now
    while rate.limit < 2_000_000.0:
        clock.now += 1.0
        rate.note(int(rate.limit), 0)
    assert clock.now - ended <= 8.0, "by a tenth a second it were 39"


def test_near_what_was_refused_the_rate_grows_by_a_tenth_a_second_and_an_outage_does_not_forget_it() -> None:
    clock = Clock()
    rate = Rate(clock)

    def second(taken: float, refused: float) -> float:
        clock.now += 1.0
        rate.note(int(taken), int(refused))
        return rate.limit or 0.0

    second(1_000_000, 0)
    second(1_000_000, 1_000_000)
    second(1_000_000, 1_000_000)
    cut = second(1_000_000, 1_000_000)
    grown = [cut, *(second(rate.limit or 0, 0) for _ in range(6))]
    assert [after / before for before, after in pairwise(grown)] == pytest.approx([1.1] * 6)
    for _ in range(30):
        second(0, 25_000)
    back = [second(rate.limit or 0, 0) for _ in range(12)]
    assert any(cut <= one < 1.2 * cut for one in back)
    assert max(back) < 2 * cut


@given(st.lists(st.tuples(st.binary(max_size=50), st.text(min_size=1, max_size=10)), min_size=1, max_size=5))
def test_the_quick_body_of_put_records_says_what_boto3_s_own_says(drawn: list[tuple[bytes, str]]) -> None:
    params = {"StreamName": "s", "Records": [{"Data": data, "PartitionKey": key} for data, key in drawn]}
    expected = [{"Data": b64encode(data).decode(), "PartitionKey": key} for data, key in drawn]
    assert orjson.loads(encode_records(params)) == {"StreamName": "s", "Records": expected}
