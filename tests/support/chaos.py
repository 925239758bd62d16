"""Chaos for a streamer: a seeded run of kills and outages over a replay, and what must be true at its end."""

import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.support.aws_server import AwsServer, aws_server
from tests.support.faulty_proxy import FAULTS, FaultyProxy, faulty_proxy
from tests.support.streamers import StreamerProcess, record, write_lines
from tests.support.waiting import wait_for

Key = tuple[str, str, str]
_SERVER_FAULTS = ("500", "throttled")


@dataclass
class Arrived:
    """What the lake would hold: ids after de-duplication, and the final count of each author's minute."""

    posts: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    edits: set[str] = field(default_factory=set)
    windows: dict[Key, int] = field(default_factory=dict)
    lines: int = 0

    def take(self, stream: str, data: bytes) -> None:
        for line in data.splitlines():
            one = orjson.loads(line)
            if stream.endswith("-posts"):
                self.lines += 1
                {"post": self.posts, "delete": self.deletes, "edit": self.edits}[one["kind"]].add(one["post_id"])
            elif one["kind"] == "tumbling" and one["final"]:
                key = (one["network"], one["author_id"], one["window_start"])
                self.windows[key] = max(self.windows.get(key, 0), one["posts"])


@dataclass
class Outcome:
    """How a run went."""

    expected: Arrived
    arrived: Arrived
    kills: int
    outages: Counter[str]


def events(number: int, seed: int) -> Iterator[dict[str, Any]]:
    """Posts in about the order of time, with late ones, duplicates, edits and deletes among them. `number` lines."""
    draw = random.Random(seed)
    made = 0
    for line in range(number):
        kind = draw.random()
        if made > 100 and kind < 0.02:
            yield record(draw.randrange(made - 100, made), author=0)  # told again below, with its own author and time
        elif made > 100 and kind < 0.04:
            yield {"kind": "delete", "network": "x", "post_id": str(draw.randrange(made))}
        else:
            late = draw.uniform(30, 1800) if draw.random() < 0.02 else draw.uniform(0, 3)
            yield record(made, author=int(draw.paretovariate(0.6)) % 5000, seconds=line / 50 - late)
            made += 1


def repeated(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same lines; a post that comes again is the same post."""
    newest: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["kind"] != "post":
            yield line
        else:
            yield newest.setdefault(line["post_id"], line)
            if len(newest) > 1000:
                del newest[next(iter(newest))]


def model(lines: Iterator[dict[str, Any]]) -> Arrived:
    """What must arrive: counted from the input in the plainest way."""
    found = Arrived()
    for line in lines:
        found.lines += 1
        if line["kind"] == "delete":
            found.deletes.add(line["post_id"])
        elif line["post_id"] not in found.posts:
            found.posts.add(line["post_id"])
            key = (line["network"], line["author_id"], f"{line['posted_at'][:16]}:00.000Z")
            found.windows[key] = found.windows.get(key, 0) + 1
    return found


def run(folder: Path, *, lines: int, kills: int, seed: int) -> Outcome:
    """Replay `lines` events through `kills` kills and as many outages; returns when all has settled."""
    draw = random.Random(seed)
    file = write_lines(folder / "posts.ndjson", repeated(events(lines, seed)))
    expected = model(repeated(events(lines, seed)))
    with aws_server() as aws, faulty_proxy(aws.port) as proxy:
        arrived = Arrived()
        aws.consume = arrived.take
        aws.refuse_share = 0.02
        sink = {"patience_seconds": 0.2, "flush_bytes": 100_000, "flush_seconds": 0.1, "read_seconds": 1}
        streamer = StreamerProcess(folder, proxy.url, [file], {"sink": sink, "windows": {"retained": 2_000_000}})
        outages = _storm(streamer, aws, proxy, draw, kills, step=lines // (kills + 2))
        proxy.fault, aws.failing, aws.delay, aws.refuse_share = "", "", 0.0, 0.02
        assert streamer.run(timeout=900) == 0, streamer.log[-3000:]
    return Outcome(expected=expected, arrived=arrived, kills=kills, outages=outages)


def _storm(
    streamer: StreamerProcess, aws: AwsServer, proxy: FaultyProxy, draw: random.Random, kills: int, step: int
) -> Counter[str]:
    """Kill the streamer again and again, each time somewhere else on its way, with an outage before most kills."""
    outages: Counter[str] = Counter()
    for _ in range(kills):
        process = streamer.start()
        # A server that takes its time, so that a kill finds requests under way.
        aws.delay = draw.choice((0.0, 0.005, 0.02))
        before, wanted = aws.taken_lines, draw.randint(1, 2 * step)
        fault = draw.choice((*FAULTS, *_SERVER_FAULTS, ""))
        wait_for(lambda: process.poll() is not None or aws.taken_lines > before, timeout=60, what="a first line")  # noqa: B023
        proxy.fault, aws.failing = (fault, "") if fault in FAULTS else ("", fault)
        outages[fault] += 1
        if fault:
            streamer_gone = draw.uniform(0.1, 0.6)
            _for_seconds(process, streamer_gone)
            if draw.random() < 0.5:  # else the kill comes during the outage
                proxy.fault, aws.failing = "", ""
        if not (proxy.fault or aws.failing):
            _until(process, aws, before + wanted)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break  # it was quicker than the storm
        proxy.fault, aws.failing = "", ""
    return outages


def _until(process: Any, aws: AwsServer, lines: int) -> None:
    wait_for(
        lambda: process.poll() is not None or aws.taken_lines >= lines, timeout=120, what="more lines", every=0.005
    )


def _for_seconds(process: Any, seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:  # it still runs, as it should
        return
