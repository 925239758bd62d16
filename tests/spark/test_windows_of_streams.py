"""Spark counts the windows that the streamer counts: the same lines through Kinesis, read shard by shard."""

import os
import signal

import pytest

from localaws.testing.waiting import wait_for
from tests.support.spark.counts import counts, posts_of, sample, spark_counts, streamed
from tests.support.spark.jobs import STREAM

LINES = 1_500
KILLS = int(os.environ.get("POSTRANK_SPARK_KILLS", "3"))


def test_spark_counts_each_window_as_the_streamer_does(cloud):
    lines = sample()[:LINES]
    cloud.put([*lines[: LINES // 2], b"no json\n"])
    cloud.put(lines[LINES // 2 :], gzipped=True)
    cloud.drain("--kinesis", STREAM, "--only", "author_windows", "--only", "author_windows_sliding")
    rows = cloud.rows("author_windows")
    assert spark_counts(rows, "tumbling") == counts(streamed(posts_of(lines)), "tumbling")
    ordered = sorted(posts_of(lines), key=lambda post: post.posted_at)
    assert spark_counts(rows, "sliding") == counts(streamed(ordered), "sliding")


@pytest.mark.slow
def test_kills_a_resharded_stream_and_repeated_lines_change_no_window(cloud):
    """The driver is killed in the middle of batches while lines arrive, some twice, and a shard is split meanwhile."""
    lines = sample()
    part = len(lines) // (KILLS + 1)
    arguments = ("--kinesis", STREAM, "--only", "author_windows", "--trigger", "1")
    for kill in range(KILLS):
        cloud.put(lines[kill * part : (kill + 1) * part], gzipped=bool(kill % 2))
        cloud.put(lines[kill * part : (kill + 1) * part : 7])
        if kill == KILLS // 2:
            split(cloud.aws.client("kinesis"))
        planned = max(batches(cloud, "offsets"), default=-1)
        with cloud.running(*arguments) as process:
            wait_for(
                lambda after=planned, job=process: job.poll() is not None or reads_on(cloud, after),
                timeout=180,
                what="the job to begin a batch",
                every=0.5,
            )
            assert process.poll() is None, (cloud.folder / "job.log").read_text()[-4000:]
            os.killpg(process.pid, signal.SIGKILL)
    cloud.put(lines[KILLS * part :])
    cloud.drain("--kinesis", STREAM, "--only", "author_windows")
    assert spark_counts(cloud.rows("author_windows"), "tumbling") == counts(streamed(posts_of(lines)), "tumbling")


def batches(cloud, kind: str) -> list[int]:
    """The batches that were planned ("offsets") or done ("commits")."""
    names = [key.rpartition("/")[2] for key in cloud.keys(f"checkpoints/author_windows/{kind}/")]
    return [int(name) for name in names if name.isdigit()]


def reads_on(cloud, after: int) -> bool:
    """Whether a batch is at work that was planned after another one."""
    planned = max(batches(cloud, "offsets"), default=-1)
    return planned > after and planned not in batches(cloud, "commits")


def split(kinesis) -> None:
    """Split the first open shard in the middle."""
    shards = kinesis.list_shards(StreamName=STREAM)["Shards"]
    shard = next(shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"])
    low = int(shard["HashKeyRange"]["StartingHashKey"])
    high = int(shard["HashKeyRange"]["EndingHashKey"])
    kinesis.split_shard(StreamName=STREAM, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2))
    wait_for(
        lambda: (
            kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
        ),
        what="the split",
    )
