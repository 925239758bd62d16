"""Kafka in, Postgres out: every window of every query once, the same after a second run and a killed broker."""

import itertools

import orjson
import psycopg
import pytest

from localaws.testing import databases, kafka
from localaws.testing.waiting import wait_for
from tests.support.spark.counts import counts, posts_of, sample, streamed

LINES = 4_000
ONLY = ("--only", "author_windows", "--only", "hourly_totals", "--only", "status_windows")

pytestmark = pytest.mark.slow


@pytest.fixture
def broker(spark):
    try:
        with kafka.running() as running:
            yield running
    except kafka.NoKafka as missing:
        pytest.skip(f"no Kafka: {missing}")


def new_topic(broker, name: str, partitions: int) -> str:
    """A topic that is ready."""
    from confluent_kafka.admin import AdminClient, NewTopic

    client = AdminClient({"bootstrap.servers": broker.plain})
    client.create_topics([NewTopic(name, partitions, 1)])[name].result(60)
    wait_for(lambda: len(client.list_topics(name, timeout=5).topics[name].partitions) == partitions, what=name)
    return name


def produce(broker, topic: str, lines: list[bytes]) -> None:
    """One message for each line, by author, compressed, as the streamer's sink does."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.plain, "acks": "all", "compression.type": "zstd"})
    for line in lines:
        producer.produce(topic, line.rstrip(), orjson.loads(line).get("author_id"))
    assert not producer.flush(60)


def log_line(second: int, status: int) -> bytes:
    """A row of an access log."""
    return orjson.dumps(
        {
            "kind": "log",
            "network": "log:web",
            "post_id": str(second),
            "host": "sim-host",
            "method": "GET",
            "path": "/",
            "status": status,
            "bytes": 100,
            "posted_at": f"2026-03-14T17:00:{second:02}.000Z",
        }
    )


def check_accounts(cloud, lines: list[bytes]) -> None:
    """Every offset of every partition is in one of the counts."""
    rows = cloud.rows("line_counts")
    sent = len(lines) + len(lines[::5]) + 1
    assert sum(row["lines"] for row in rows) == sent
    assert all(row["lines"] == row["counted"] + row["ignored"] + row["rejected"] for row in rows)
    for partition in {row["partition"] for row in rows}:
        spans = sorted(
            (int(row["first_position"]), int(row["last_position"]), row["lines"])
            for row in rows
            if row["partition"] == partition
        )
        assert [last - first + 1 for first, last, _ in spans] == [number for _, _, number in spans]
        assert spans[0][0] == 0
        assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(spans))
    (reject,) = cloud.rows("rejects")
    assert (reject["line"], reject["reason"]) == ('{"kind": "post"}', "network, post_id or author_id is missing")


def test_windows_of_kafka_are_in_postgres_once_whatever_is_killed(cloud, broker):
    lines = sample()[:LINES]
    posts = new_topic(broker, "posts", 3)
    logs = new_topic(broker, "logs", 1)
    database = databases.create(cloud.aws, "windows")
    endpoint = database["Endpoint"]
    dsn = f"postgresql://keeper:{databases.PASSWORD}@{endpoint['Address']}:{endpoint['Port']}/ranks"
    produce(broker, logs, [log_line(second, 500 if second % 3 == 0 else 200) for second in range(30)])
    arguments = [
        "--kafka",
        broker.plain,
        "--topic",
        posts,
        "--log-topic",
        logs,
        "--postgres",
        "WINDOWS_DSN",
        "--account",
    ]
    produce(broker, posts, [*lines[: LINES // 2], b'{"kind": "post"}'])
    cloud.drain(*arguments, env={"WINDOWS_DSN": dsn})
    broker.kill()
    broker.start()
    produce(broker, posts, [*lines[LINES // 2 :], *lines[::5]])
    cloud.drain(*arguments, env={"WINDOWS_DSN": dsn})
    check_accounts(cloud, lines)
    with psycopg.connect(dsn) as connection:
        connection.execute("set timezone to 'UTC'")
        rows = connection.execute(
            'select network, author_id, to_char(window_end, \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\'), posts, final'
            " from stream.author_windows where kind = 'tumbling'"
        ).fetchall()
        assert all(row[4] for row in rows)
        expected = counts(streamed(posts_of(lines)), "tumbling")
        assert {row[:3]: row[3] for row in rows} == expected
        total = connection.execute("select sum(posts) from stream.hourly_totals").fetchone()
        assert total == (sum(expected.values()),)
        statuses = connection.execute("select status, requests, bytes from stream.status_windows order by 1").fetchall()
        assert statuses == [(200, 20, 2000), (500, 10, 1000)]
