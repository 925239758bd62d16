"""`postrank stream` and `postrank doctor` with Kafka: what was read is in the topics, whoever dies meanwhile."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from localaws.testing.kafka import Broker
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.chaos.events import Arrived, model, told
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.streaming.brokers import STRANGER, messages, new_topic, plain, secured
from tests.support.streaming.streamers import StreamerProcess, heartbeat, record, write_lines

# Lines, broker's deaths, streamer's deaths: a short storm for `make test`, a longer one for `make test-slow`.
SHORT = (12_000, 1, 1)
LONG = (int(os.environ.get("POSTRANK_CHAOS_LINES", "40000")), 5, 4)
SEED = int(os.environ.get("POSTRANK_CHAOS_SEED", "7"))


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


@pytest.fixture
def topics(broker: Broker) -> dict[str, str]:
    number = random.getrandbits(32)
    return {
        "posts": new_topic(broker, name=f"{number}-posts"),
        "author_windows": new_topic(broker, name=f"{number}-windows"),
    }


def to_kafka(connection: dict[str, Any], topics: dict[str, str], **sink: Any) -> dict[str, dict[str, Any]]:
    return {"sink": {"kind": "kafka", "flush_seconds": 0.1, **sink}, "sink.kafka": {**connection, "topics": topics}}


def test_what_a_replay_reads_is_in_the_topics_line_for_line(
    broker: Broker, topics: dict[str, str], aws: AwsServer, tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, author=n % 9, seconds=n) for n in range(400)])
    assert StreamerProcess(tmp_path, aws.url, [file], to_kafka(secured(broker), topics)).run() == 0
    sent = messages(broker, topics["posts"])
    lines = [json.loads(message.value()) for message in sent]
    assert sorted(line["post_id"] for line in lines) == sorted(str(n) for n in range(400))
    assert all(message.key().decode() == line["author_id"] for message, line in zip(sent, lines, strict=True))
    windows = [json.loads(message.value()) for message in messages(broker, topics["author_windows"])]
    assert {"window_start", "author_id", "posts"} <= windows[0].keys()
    assert aws.records == []
    counts = (heartbeat(aws) or {})["counts"]
    assert (counts["delivered"], counts["spooled"], counts["in_flight"]) == (400, 0, 0)


def test_lines_that_went_through_kafka_come_out_as_they_went_in(
    broker: Broker, topics: dict[str, str], aws: AwsServer, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    file = write_lines(tmp_path / "p.ndjson", told(2_000, SEED))
    assert StreamerProcess(first, aws.url, [file], to_kafka(plain(broker), topics)).run() == 0
    source = {"kind": "kafka", "topic": topics["posts"], "until": "end", **plain(broker)}
    assert StreamerProcess(second, aws.url, [], {"source": source}).run() == 0
    kept = ("kind", "network", "post_id", "author_id", "posted_at", "text")
    through = Counter(tuple(line.get(name) for name in kept) for line in aws.lines("-posts"))
    direct = Counter(tuple(line.get(name) for name in kept) for line in told(2_000, SEED))
    assert through == direct
    assert (heartbeat(aws) or {})["counts"]["rejected"] == 0


@pytest.mark.parametrize(
    ("lines", "broker_deaths", "deaths"),
    [pytest.param(*SHORT, id="short"), pytest.param(*LONG, id="long", marks=pytest.mark.slow)],
)
def test_nothing_is_lost_when_the_broker_or_the_streamer_is_killed(
    broker: Broker, topics: dict[str, str], aws: AwsServer, tmp_path: Path, lines: int, broker_deaths: int, deaths: int
) -> None:
    file = write_lines(tmp_path / "p.ndjson", told(lines, SEED))
    connection = plain(broker)
    settings = to_kafka(connection, topics, patience_seconds=0.5, flush_bytes=50_000)
    settings["source"] = {"speed": lines / 50 / 30}  # the file's time is a 50th of a second a line: 30 s at most
    settings["spool"] = {"max_bytes": 1 << 20}
    settings["windows"] = {"retained": 2_000_000, "horizon": 1_000_000}
    streamer = StreamerProcess(tmp_path, aws.url, [file], settings)
    draw = random.Random(SEED)
    process = streamer.start()
    try:
        ends = ["broker"] * broker_deaths + ["streamer"] * deaths
        draw.shuffle(ends)
        for end in ends:
            before = counted(aws, "delivered")
            wait_for(lambda: counted(aws, "delivered") > before or process.poll() is not None, what="lines")  # noqa: B023
            if end == "broker":
                away = streamer.log.count('"sink away"')
                broker.kill()
                try:
                    gone = lambda: streamer.log.count('"sink away"') > away or process.poll() is not None  # noqa: B023, E731
                    wait_for(gone, what="the broker to be missed")
                finally:
                    broker.start()
            else:
                process.kill()
                process.wait()
                process = streamer.start()
        assert process.wait(patient(120)) == 0, streamer.log[-3000:]
    finally:
        process.kill()
        process.wait()
    arrived, distinct = Arrived(), set[bytes]()
    sent = messages(broker, topics["posts"])
    for message in sent:
        arrived.take("-posts", message.value())
        distinct.add(message.value())
    for message in messages(broker, topics["author_windows"]):
        arrived.take("-windows", message.value())
    expected = model(told(lines, SEED))
    counts = (heartbeat(aws) or {})["counts"]
    resent = len(sent) - len(distinct)
    read_again = len(distinct) - lines
    print({"lines": lines, "messages": len(sent), "resent": resent, "read again": read_again, "ends": ends})
    assert arrived.posts == expected.posts
    assert arrived.deletes == expected.deletes
    assert arrived.windows == expected.windows
    assert (counts["delivered"], counts["spooled"], counts["in_flight"], counts["rejected"]) == (lines, 0, 0, 0)
    assert resent >= 0, "every acknowledged line is in the topic"
    assert read_again >= 0


def counted(aws: AwsServer, name: str) -> int:
    return int((heartbeat(aws) or {"counts": {name: 0}})["counts"][name])


def doctor(streamer: StreamerProcess) -> str:
    argv = [sys.executable, "-m", "postrank", "doctor", "--config", str(streamer.write())]
    run = subprocess.run(
        argv, env=streamer.environment(), capture_output=True, text=True, check=False, timeout=patient(60)
    )
    return run.stdout


def test_the_doctor_asks_brokers_for_the_topics_of_source_and_sink(
    broker: Broker, topics: dict[str, str], aws: AwsServer, tmp_path: Path
) -> None:
    settings = to_kafka(secured(broker), topics)
    settings["source"] = {"kind": "kafka", "topic": topics["posts"], **secured(broker)}
    seen = doctor(StreamerProcess(tmp_path, aws.url, [], settings))
    assert f"ok    topic {topics['posts']}: 4 partitions with 1 replicas each on 1 brokers" in seen
    assert f"ok    topic {topics['author_windows']}:" in seen
    assert f"ok    source: topic {topics['posts']} has 4 partitions with 0 messages" in seen
    assert broker.password not in seen


def test_the_doctor_says_what_is_wrong_with_each_topic(
    broker: Broker, topics: dict[str, str], aws: AwsServer, tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(1)])
    settings = to_kafka(secured(broker, user=STRANGER), topics)
    seen = doctor(StreamerProcess(tmp_path, aws.url, [file], settings))
    assert f"FAIL  topic {topics['posts']}: Kafka refuses writing to topic {topics['posts']}: TOPIC_AUTH" in seen
    settings = to_kafka(plain(broker), {**topics, "posts": "missing"})
    seen = doctor(StreamerProcess(tmp_path, aws.url, [file], settings))
    assert "FAIL  topic missing: Kafka refuses writing to topic missing: UNKNOWN_TOPIC_OR_PART" in seen
    assert "create the topic" in seen


def test_a_secret_of_the_sink_may_come_from_the_environment(
    broker: Broker, topics: dict[str, str], aws: AwsServer, tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(1)])
    settings = to_kafka({**secured(broker), "password": "env:KAFKA_PASSWORD"}, topics)
    streamer = StreamerProcess(tmp_path, aws.url, [file], settings, env={"KAFKA_PASSWORD": broker.password})
    assert streamer.run() == 0, streamer.log
    [message] = messages(broker, topics["posts"])
    assert orjson.loads(message.value())["post_id"] == "1"
