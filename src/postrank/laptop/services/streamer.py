"""The streamer of a run: what its instance is to run, and what its heartbeat says."""

import json
import os
import shlex
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.overrides import Overrides
from postrank.laptop.services.streamer_log import StreamerLog
from postrank.laptop.setup.configuration import FILE, configuration, toml
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import REPLAY, Options

_LOG = "streamer.log"
_ENDINGS = 3  # so often ended before its first heartbeat, it will not run
LIVE_SECONDS = 60.0  # how long a live source collects before the first ranking
_MINUTE = timedelta(minutes=1)


class StreamerFailed(Fatal):
    """The streamer gave up."""

    def __init__(self, reason: str, logs: Path) -> None:
        super().__init__(f"the streamer gave up: {reason or 'it does not say why'}; its log is below {logs}")


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
    """Describes the unit that the instance runs, and reads how it is."""

    def __init__(self, layout: Layout, names: Resources, cloud: LocalCloud, options: Options) -> None:
        self._layout = layout
        self._names = names
        self._cloud = cloud
        self._options = options
        self._began = time.monotonic()
        self._seen: Heartbeat | None = None
        self._tokens: dict[str, str] = {}
        self._log = StreamerLog(layout.logs / _LOG)

    def describe(self) -> None:
        """Write the unit and the streamer's configuration, which the local AWS starts on the instance."""
        config = self._layout.streamer / FILE
        overrides = Overrides(os.environ, self._secret)
        config.write_text(toml(overrides.document(configuration(self._options, self._layout))), encoding="utf-8")
        unit = {
            "argv": [sys.executable, "-m", "postrank", "stream", "--config", str(config)],
            "working_directory": str(self._folder),
            "restart": "on-failure",
            "log": str(self._layout.logs / _LOG),
            "env": {
                "POSTRANK_ENVIRONMENT": self._names.environment,
                "POSTRANK_ACCOUNT": self._names.account,
                **overrides.without_tokens(),
            },
        }
        path = self._layout.units / f"{self._names.streamer.service}.toml"
        path.write_text(toml(unit), encoding="utf-8")
        self._install_backfill(config)
        self._tokens = overrides.tokens

    def store_tokens(self) -> None:
        """Put the tokens that the configuration refers to into the local AWS, in place of an earlier run's."""
        if not self._tokens:
            return
        secrets = self._cloud.client("secretsmanager")
        text = json.dumps(self._tokens)
        try:
            secrets.create_secret(Name=self._secret, SecretString=text)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=self._secret, SecretString=text)

    @property
    def _secret(self) -> str:
        return self._names.secrets["x" if self._options.kind == "x" else "mastodon"]

    @property
    def _folder(self) -> Path:
        """The streamer's working directory: relative paths in a file mean what they mean to `postrank stream`."""
        return Path.cwd() if self._options.config else self._layout.streamer

    def _install_backfill(self, config: Path) -> None:
        """Put the program on the instance that its SSM document calls, as the host's installation does on AWS."""
        program = self._layout.units / "bin" / "postrank-backfill"
        program.parent.mkdir(exist_ok=True)
        variables = f"POSTRANK_ENVIRONMENT={self._names.environment} POSTRANK_ACCOUNT={self._names.account}"
        words = shlex.join([sys.executable, "-m", "postrank", "backfill", "--config", str(config)])
        folder = shlex.quote(str(self._folder))
        program.write_text(f'#!/bin/sh\ncd {folder} || exit 2\n{variables} exec {words} "$@"\n', encoding="utf-8")
        program.chmod(0o700)

    def look(self) -> Heartbeat | None:
        """The heartbeat as it is now, or None before the first. Raises StreamerFailed, NothingToRank."""
        try:
            heartbeat = read_heartbeat(
                self._cloud.client("s3"), self._names.buckets["raw"], self._names.keys["heartbeat"]
            )
        except NoHeartbeat:
            if self._log.endings() >= _ENDINGS:
                raise StreamerFailed(self._log.last_problem(), self._layout.logs) from None
            return None
        if heartbeat.phase == "failed":
            raise StreamerFailed(heartbeat.error or "", self._layout.logs)
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

    def event_interval(self) -> dict[str, str]:
        """The whole minutes of event time that the posts cover, as the parameters of `rank_authors`."""
        if self._seen is None or not (self._seen.first_posted_at and self._seen.last_posted_at):
            return {}
        first = _minute(self._seen.first_posted_at)
        last = _minute(self._seen.last_posted_at) + _MINUTE
        return {"interval_start": _text(first), "interval_end": _text(last)}


def _minute(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(second=0, microsecond=0)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
