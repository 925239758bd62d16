"""Chaos for a streamer: a seeded run of kills, outages and lost sources, and what must be true at its end."""

import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.aws.resources import MAIN
from tests.support.chaos.events import Arrived, ArrivedOfEach
from tests.support.chaos.feeds import Feeding
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.fakes.faulty_proxy import FAULTS, FaultyProxy, faulty_proxy
from tests.support.streaming.streamers import StreamerProcess, heartbeat, ledger

Feeds = Callable[[Path, int, int, float], AbstractContextManager[Feeding]]  # folder, lines, seed, lines a second
_SERVER_FAULTS = ("500", "throttled")
_LONGEST = 3.0  # seconds that a streamer lives on when all is well
_KILL_EVERY = 3.5  # seconds, about: a network that tells its story in its own time tells it as long as the storm lasts
_TERMINATED = 0.15  # of the ends are asked for, and waited for
_STALL = 1.6  # seconds after which a source whose connection is half open has noticed it


@dataclass
class Outcome:
    """How a run went."""

    expected: Arrived
    arrived: Arrived
    kills: int
    terminations: int
    blocked: int  # how often the spool was full
    outages: Counter[str]
    disconnects: Counter[str]
    connections: int
    complaints: Any  # of the network, about how it was used
    gaps: list[dict[str, Any]]  # the ledger


def run(folder: Path, feeds: Feeds, *, lines: int, kills: int, seed: int) -> Outcome:
    """Feed `lines` events through `kills` kills and as many outages and disconnects; returns when all has settled."""
    with aws_server() as aws:
        arrived = Arrived()
        aws.consume = arrived.take
        aws.refuse_share = 0.02
        return _run_one(folder, feeds, aws, arrived, Scale(lines, kills, seed))


@dataclass(frozen=True)
class Scale:
    """How much is fed, and how often the streamer is killed."""

    lines: int
    kills: int
    seed: int


def run_together(folder: Path, feeds: Mapping[str, Feeds], scale: Scale, lost_host: str) -> dict[str, Outcome]:
    """The same for several collectors of one AWS, each with a storm of its own. The host of `lost_host` is deleted once
    it has delivered everything, while the others are still in their storms.
    """
    with aws_server() as aws, ThreadPoolExecutor(len(feeds)) as threads:
        of = {name: Arrived() for name in feeds}
        aws.consume = ArrivedOfEach(of).take
        aws.refuse_share = 0.02

        def run_collector(name: str) -> Outcome:
            own = folder / name
            own.mkdir()
            outcome = _run_one(own, feeds[name], aws, of[name], scale, name)
            if name == lost_host:
                shutil.rmtree(own)
            return outcome

        pending = {name: threads.submit(run_collector, name) for name in feeds}
        return {name: outcome.result() for name, outcome in pending.items()}


def _run_one(
    folder: Path, feeds: Feeds, aws: AwsServer, arrived: Arrived, scale: Scale, collector: str = ""
) -> Outcome:
    lines, kills = scale.lines, scale.kills
    pace = lines / (kills * _KILL_EVERY)
    with faulty_proxy(aws.port) as proxy, feeds(folder, lines, scale.seed, pace) as feeding:
        streamer = StreamerProcess(folder, proxy.url, feeding.files, {"source": feeding.options, **_SETTINGS})
        if collector:
            streamer.collector = collector
            streamer.words = ("--collector", collector)
        storm = _Storm(streamer, aws, proxy, feeding, arrived, random.Random(scale.seed))
        try:
            storm.blow(kills, step=lines // (kills + 2))
        finally:
            storm.leave_nothing()
        storm.calm()
        if feeding.proxy is None:
            assert streamer.run(timeout=900) == 0, streamer.log[-3000:]
        else:
            _until_all_came(streamer, aws, feeding, arrived)
        return Outcome(
            expected=feeding.expected(),
            arrived=arrived,
            kills=storm.kills,
            terminations=storm.terminations,
            blocked=streamer.log.count('"spool full"'),
            outages=storm.outages,
            disconnects=storm.disconnects,
            connections=feeding.opened(),
            complaints=feeding.complaints(),
            gaps=[row for row in ledger(aws, "gaps") if not collector or row["collector"] == collector],
        )


# What the windows and the ids that they know must hold of a story that comes many times faster than in life; a spool
# that a fast source fills.
_SETTINGS: dict[str, dict[str, Any]] = {
    "sink": {"patience_seconds": 0.2, "flush_bytes": 100_000, "flush_seconds": 0.1, "read_seconds": 1},
    "windows": {"retained": 2_000_000, "horizon": 1_000_000},
    "spool": {"max_bytes": 1 << 20},
}


def _until_all_came(streamer: StreamerProcess, aws: AwsServer, feeding: Feeding, arrived: Arrived) -> None:
    """A live source has no end: wait for what must come, then end the streamer as its supervisor does."""
    opened = feeding.opened()
    process = streamer.start()

    def connected() -> bool:  # before it reads, it does not know what SIGTERM means
        return process.poll() is not None or feeding.opened() > opened

    try:
        wait_for(connected, timeout=300, what="the connection")
        feeding.finish()
        expected = feeding.expected()

        def settled() -> bool:
            came = len(arrived.posts) >= len(expected.posts) and len(arrived.likes) >= len(expected.likes)
            came = came and arrived.windows == expected.windows
            return process.poll() is not None or (
                came and '"gaps":[{' not in str((heartbeat(aws, streamer.collector or MAIN) or {}).get("cursor"))
            )

        wait_for(settled, timeout=900, what="the rest", every=0.5)
        assert process.poll() is None, streamer.log[-3000:]
        process.terminate()
        assert process.wait(patient(60)) == 0, streamer.log[-3000:]
    finally:
        process.kill()
        process.wait()


@dataclass
class _Storm:
    streamer: StreamerProcess
    aws: AwsServer
    proxy: FaultyProxy  # in front of AWS
    feeding: Feeding
    arrived: Arrived
    draw: random.Random
    outages: Counter[str] = field(default_factory=Counter)
    disconnects: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    terminations: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _opened: int = 0  # connections to the source, before this start
    _bags: dict[str, list[str]] = field(default_factory=dict)

    def blow(self, kills: int, step: int) -> None:
        """End the streamer again and again, each time somewhere else on its way, AWS or its source away by then."""
        while self.kills < kills:
            self._opened = self.feeding.opened()
            process = self._process = self.streamer.start()
            # A server that takes its time, so that a kill finds requests under way.
            self.aws.delay = self.draw.choice((0.0, 0.005, 0.02))
            before, wanted = self.arrived.lines, self.draw.randint(1, 2 * step)
            if not self.kills + self.terminations and self.feeding.proxy:
                wait_for(
                    lambda: (heartbeat(self.aws, self.streamer.collector or MAIN) or {}).get("cursor"),
                    timeout=60,
                    what=self.streamer.log[-2000:],
                )
                self.feeding.begin()
            wait_for(lambda: self._has_begun(process, before), timeout=120, what="a first line", every=0.005)  # noqa: B023
            self._lose_the_source(process)
            self._lose_aws(process)
            if not (self.proxy.fault or self.aws.failing):
                self._until(process, before + wanted)
            if process.poll() is not None:
                assert process.returncode == 0, f"it gave up: {self.streamer.log[-3000:]}"
                break  # it was quicker than the storm
            self._end(process)
            self.calm()

    def leave_nothing(self) -> None:
        """End what runs, also when something has failed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        """Mostly by a kill, now and then as its supervisor does: then it has to drain in time, AWS there or away."""
        if self.draw.random() < _TERMINATED:
            process.terminate()
        else:
            process.kill()
        status = process.wait(patient(60))
        assert status in (0, -signal.SIGKILL, -signal.SIGTERM), self.streamer.log[-3000:]
        if status == 0:
            self.terminations += 1
        else:  # -SIGTERM: it had not come so far as to listen
            self.kills += 1

    def calm(self) -> None:
        self.proxy.fault, self.aws.failing, self.aws.delay = "", "", 0.0
        if self.feeding.proxy:
            self.feeding.proxy.fault = ""

    def _lose_aws(self, process: "subprocess.Popen[bytes]") -> None:
        fault = self._next("AWS", (*FAULTS, *_SERVER_FAULTS, ""))
        self.outages[fault] += 1
        self.proxy.fault, self.aws.failing = (fault, "") if fault in FAULTS else ("", fault)
        if fault:
            _for_seconds(process, self.draw.uniform(0.1, 0.6))
            if self.draw.random() < 0.5:  # else the kill comes during the outage
                self.proxy.fault, self.aws.failing = "", ""

    def _lose_the_source(self, process: "subprocess.Popen[bytes]") -> None:
        if self.feeding.proxy is None:
            return
        fault = self._next("source", (*FAULTS, ""))
        self.disconnects[fault] += 1
        self.feeding.proxy.fault = fault
        if fault and self.draw.random() < 0.75:  # else it comes together with what happens to AWS
            _for_seconds(process, _STALL if fault == "half-open" else self.draw.uniform(0.1, 0.6))
        if self.draw.random() < 0.75:  # else the kill comes while the source is away
            self.feeding.proxy.fault = ""

    def _has_begun(self, process: "subprocess.Popen[bytes]", before: int) -> bool:
        """Whether something arrives; a live source that has told all only connects."""
        return (
            process.poll() is not None
            or self.arrived.lines > before
            or (self.feeding.proxy is not None and self.feeding.opened() > self._opened)
        )

    def _next(self, whose: str, faults: Sequence[str]) -> str:
        """Every fault once, in any order, before any comes again."""
        left = self._bags.setdefault(whose, [])
        if not left:
            left += self.draw.sample(faults, len(faults))
        return left.pop()

    def _until(self, process: "subprocess.Popen[bytes]", lines: int) -> None:
        """Until so many lines have arrived; a while at most: AWS may want them slowly, a live source have told all."""
        due = time.monotonic() + _LONGEST
        while process.poll() is None and self.arrived.lines < lines and time.monotonic() < due:
            _for_seconds(process, 0.005)


def _for_seconds(process: Any, seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:  # it still runs, as it should
        return
