"""The streamer of a run: what its instance is to run, and what its heartbeat says."""

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postrank.aws.resources import MAIN, Resources
from postrank.collectors.toml_text import map_toml, toml
from postrank.errors import Fatal
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.overrides import Overrides
from postrank.laptop.services.streamer_log import StreamerLog
from postrank.laptop.setup.configuration import FILE, described
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import REPLAY, Options

_ENDINGS = 3  # so often ended before its first heartbeat, it will not run
LIVE_SECONDS = 60.0  # how long a live source collects before the first ranking
_MINUTE = timedelta(minutes=1)


class StreamerFailed(Fatal):
    """The streamer gave up."""

    def __init__(self, reason: str, logs: Path, collector: str = MAIN) -> None:
        of_collector = "" if collector == MAIN else f" of {collector}"
        super().__init__(
            f"the streamer{of_collector} gave up: {reason or 'it does not say why'}; its log is below {logs}"
        )


class NothingToRank(Fatal):
    """The source ended without a single post."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        counts = dict(heartbeat.counts)
        super().__init__(
            f"no post can be ranked: {counts.get('read', 0):,} lines were read, {counts.get('rejected', 0):,} of them "
            f"rejected, {counts.get('ignored', 0):,} ignored. The reasons are in var/rejects.ndjson; "
            "`postrank inspect FILE` says what a file is"
        )


class Streamer:
    """Describes the unit that a collector's instance runs, and reads how it is. `names` are the collector's."""

    def __init__(self, layout: Layout, names: Resources, cloud: LocalCloud, options: Options) -> None:
        self._layout = layout
        self._names = names
        self._cloud = cloud
        self._options = options
        self._began = time.monotonic()
        self._seen: Heartbeat | None = None
        self.tokens: dict[str, str] = {}
        self._log = StreamerLog(layout.logs / f"{self._name}.log")

    def describe(self) -> None:
        """Write the unit and the streamer's configuration, which the local AWS starts on the instance."""
        overrides = Overrides(os.environ, self.secret, "" if self.collector == MAIN else f"{self.collector}-")
        described_collector = described(self._options, self._layout)
        table = overrides.document(described_collector.table)
        # A streamer knows its collector's name from the map that it stands in.
        text = toml(table) if self.collector == MAIN else map_toml([replace(described_collector, table=table)])
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text, encoding="utf-8")
        unit = {
            "argv": [sys.executable, "-m", "postrank", "stream", "--config", str(self.config)],
            "working_directory": str(self.folder),
            "restart": "on-failure",
            "log": str(self._log.path),
            "env": {
                "POSTRANK_ENVIRONMENT": self._names.environment,
                "POSTRANK_ACCOUNT": self._names.account,
                **overrides.without_tokens(),
            },
        }
        path = self._layout.units / f"{self._names.streamer.service}.toml"
        path.write_text(toml(unit), encoding="utf-8")
        self.tokens = overrides.tokens

    @property
    def collector(self) -> str:
        return self._names.collector

    @property
    def config(self) -> Path:
        return self._layout.collector(self.collector) / FILE

    @property
    def secret(self) -> str:
        """The secret of the local AWS that holds the tokens."""
        return self._names.secrets["x" if self._options.kind == "x" else "mastodon"]

    @property
    def folder(self) -> Path:
        """The streamer's working directory: relative paths in a file mean what they mean to `postrank stream`."""
        return Path.cwd() if self._options.config else self.config.parent

    @property
    def _name(self) -> str:
        return "streamer" if self.collector == MAIN else f"streamer-{self.collector}"

    def look(self) -> Heartbeat | None:
        """The heartbeat as it is now, or None before the first. Raises StreamerFailed, NothingToRank."""
        try:
            heartbeat = read_heartbeat(
                self._cloud.client("s3"), self._names.buckets["raw"], self._names.keys["heartbeat"]
            )
        except NoHeartbeat:
            if self._log.endings() >= _ENDINGS:
                raise StreamerFailed(self._log.last_problem(), self._layout.logs, self.collector) from None
            return None
        if heartbeat.phase == "failed":
            raise StreamerFailed(heartbeat.error or "", self._layout.logs, self.collector)
        if heartbeat.finished and not heartbeat.counts.get("posts"):
            raise NothingToRank(heartbeat)
        self._seen = heartbeat
        return heartbeat

    @property
    def has_enough(self) -> bool:
        """Whether there is something to rank: all of a replay, or what a live source gave in LIVE_SECONDS."""
        if self._seen is None:
            return False
        if self._options.kind == REPLAY:
            return self._seen.finished
        return self.acknowledged > 0 and time.monotonic() - self._began > LIVE_SECONDS

    @property
    def acknowledged(self) -> int:
        """How many events Kinesis has acknowledged."""
        return self._seen.counts.get("delivered", 0) if self._seen else 0

    @property
    def progress(self) -> str:
        """What the heartbeat says, for a person."""
        if self._seen is None:
            return f"waiting for its first heartbeat{self._problem}"
        counts = self._seen.counts
        if not counts.get("read") and not self._seen.finished:
            return f"nothing read yet{self._problem}"
        text = f"{counts.get('read', 0):,} read, {self.acknowledged:,} acknowledged by Kinesis"
        return text + "".join(
            f", {counts[name]:,} {name}" for name in ("rejected", "ignored", "spooled") if counts.get(name)
        )

    @property
    def _problem(self) -> str:
        """What the log says is wrong, to be put behind a text."""
        problem = self._log.last_problem()
        return f": {problem}" if problem else ""

    @property
    def event_span(self) -> tuple[datetime, datetime] | None:
        """The whole minutes of event time that the posts cover; None before the first post."""
        if self._seen is None or not (self._seen.first_posted_at and self._seen.last_posted_at):
            return None
        return _minute(self._seen.first_posted_at), _minute(self._seen.last_posted_at) + _MINUTE


def _minute(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(second=0, microsecond=0)
