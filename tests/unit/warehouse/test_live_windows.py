"""The second stream in the warehouse: a real stream with shards that split, outages, repetitions, a bounded table."""

import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest

from localaws.testing.waiting import wait_for
from postrank.aws.shards import ShardReader
from postrank.posts.times import to_text
from postrank.warehouse.connection import READER, connect, reading
from postrank.warehouse.live.consumer import Consumer, NoSuchStream
from postrank.warehouse.live.store import rows_of

NUMBERS = count()


@pytest.fixture
def kinesis(warehouse_aws):
    return warehouse_aws.client("kinesis")


@pytest.fixture
def stream(kinesis):
    name = f"windows-{next(NUMBERS)}"
    kinesis.create_stream(StreamName=name, ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    yield name
    kinesis.delete_stream(StreamName=name)


@pytest.fixture
def consumer(database, kinesis, stream, server, credentials):
    return Consumer(kinesis=kinesis, stream=stream, connect=lambda: connect(server, credentials))


@pytest.fixture
def started(consumer):
    """The consumer, in a thread until the test ends."""
    stopped = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stopped,))
    thread.start()
    yield consumer
    stopped.set()
    thread.join(30)
    assert not thread.is_alive()


def line(author, posts, *, kind="sliding", ago=0, collector="c1", network="x", emitted=0):
    """A window that ended so many seconds ago."""
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=ago)
    row = {
        "network": network,
        "author_id": author,
        "author_handle": author.upper(),
        "window_start": to_text(end - timedelta(seconds=60)),
        "window_end": to_text(end),
        "kind": kind,
        "posts": posts,
        "final": kind == "tumbling",
        "collector": collector,
        "emitted_at": to_text(end + timedelta(seconds=emitted)),
    }
    return json.dumps(row).encode() + b"\n"


def put(kinesis, stream, *lines):
    """Each line in a record of its own, over all shards."""
    records = [{"Data": data, "PartitionKey": str(n)} for n, data in enumerate(lines)]
    assert kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"] == 0


def board(database):
    rows = database.execute("select author_id, posts from live_board order by posts desc, author_id").fetchall()
    return dict(rows)


def test_windows_are_on_the_board_seconds_after_they_were_emitted(started, database, kinesis, stream):
    put(kinesis, stream, line("ann", 3), line("bob", 5, ago=20), line("old", 9, ago=90))
    wait_for(lambda: board(database) == {"bob": 5, "ann": 3}, timeout=30, what="the board")
    assert database.execute("select max(author_handle) from live_board where author_id = 'ann'").fetchone() == ("ANN",)


def test_windows_of_shards_that_split_meanwhile_are_read(started, database, kinesis, stream):
    put(kinesis, stream, line("ann", 1))
    wait_for(lambda: board(database), timeout=30, what="the first window")
    shard = kinesis.list_shards(StreamName=stream)["Shards"][0]
    low, high = (int(shard["HashKeyRange"][name]) for name in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2))
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    expected = {f"author-{n}": 2 for n in range(20)}
    put(kinesis, stream, *(line(author, 2) for author in expected))
    wait_for(lambda: expected.items() <= board(database).items(), timeout=30, what="windows of the new shards")


def test_reading_the_stream_again_changes_nothing(consumer, database, kinesis, stream):
    put(kinesis, stream, line("ann", 3), line("bob", 5))
    query = "select xmin, * from live_windows order by author_id"
    with consumer.connect() as connection:
        for _ in range(2):
            reader = ShardReader(kinesis, stream, datetime.now(UTC) - timedelta(minutes=5))
            wait_for(lambda reader=reader: consumer.turn(reader, connection), timeout=30, what="windows")
            rows = database.execute(query).fetchall()
    assert rows == database.execute(query).fetchall()
    assert len({row[0] for row in rows}) == 1, "rows were written again"


def test_a_minute_keeps_its_highest_count_whatever_arrives_last(consumer, database, kinesis, stream):
    minute = [line("ann", posts, kind="tumbling", ago=30, emitted=posts) for posts in (3, 7, 5)]
    put(kinesis, stream, *minute, line("ann", 4, kind="tumbling", ago=30, collector="c2"))
    with consumer.connect() as connection:
        reader = ShardReader(kinesis, stream, datetime.now(UTC) - timedelta(minutes=5))
        wait_for(lambda: consumer.turn(reader, connection) or consumer.stored, timeout=30, what="windows")
    rows = database.execute("select collector, posts, final from live_windows order by 1").fetchall()
    assert rows == [("c1", 7, True), ("c2", 4, True)]


def test_an_author_that_two_collectors_saw_is_counted_once(started, database, kinesis, stream):
    put(kinesis, stream, line("ann", 3, collector="c1"), line("ann", 5, collector="c2"), line("bob", 4))
    wait_for(lambda: board(database) == {"ann": 5, "bob": 4}, timeout=30, what="the board")


def test_each_network_has_its_own_newest_minute(started, database, kinesis, stream):
    """A network whose events are late, or replayed, stays on the board beside a live one."""
    put(kinesis, stream, line("ann", 3), line("bob", 2, network="bluesky", ago=3600))
    wait_for(lambda: board(database) == {"ann": 3, "bob": 2}, timeout=30, what="the board")


def test_the_table_is_bounded(started, database, kinesis, stream):
    put(
        kinesis,
        stream,
        line("ann", 1),
        line("old", 1, ago=16 * 60),
        line("ann", 1, kind="tumbling", ago=60),
        line("old", 1, kind="tumbling", ago=2 * 3600),
        line("older", 1, kind="tumbling", ago=4 * 3600),
    )
    query = "select kind, author_id from live_windows order by 1, 2"
    expected = [("sliding", "ann"), ("tumbling", "ann"), ("tumbling", "old")]
    wait_for(lambda: database.execute(query).fetchall() == expected, timeout=30, what="the newest windows alone")


def test_lines_that_are_no_windows_are_counted_and_the_others_stored(started, database, kinesis, stream):
    put(kinesis, stream, b"not JSON\n" + line("ann", 2) + b'{"kind": "sliding"}\n')
    wait_for(lambda: board(database) == {"ann": 2}, timeout=30, what="the window between")
    assert started.broken == 2


def test_a_connection_that_breaks_is_opened_again(started, database, kinesis, stream):
    put(kinesis, stream, line("ann", 2))
    wait_for(lambda: board(database) == {"ann": 2}, timeout=30, what="the first window")
    others = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postrank' and pid <> %s"
    database.execute(others, (database.info.backend_pid,))
    put(kinesis, stream, line("bob", 3))
    wait_for(lambda: board(database) == {"ann": 2, "bob": 3}, timeout=60, what="the window after the outage")


def test_a_stream_that_is_absent_is_named(consumer):
    consumer.stream = "absent"
    with pytest.raises(NoSuchStream, match="there is no stream absent"):
        consumer.run(threading.Event())


@pytest.mark.parametrize("data", [b"", b"\n\n", b"[]", b"null", b"\xff\xfe", b'{"posts": "many"}'])
def test_bytes_that_hold_no_window_are_passed_over(data):
    rows, broken = rows_of(data)
    assert rows == []
    assert broken == bool(data.strip())


def test_a_reading_session_cannot_write(server, credentials, migrated):
    with psycopg.connect(reading(server, credentials()), autocommit=True) as connection:
        assert connection.execute("select current_user").fetchone() == (READER,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("delete from rankings")
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from rankings")
