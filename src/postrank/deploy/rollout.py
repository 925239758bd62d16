"""One deployment, step by step: install beside what runs, activate, wait for the heartbeat, keep it or take it back."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from postrank.deploy.failures import DeploymentGoesOn, Interrupted, LeftSilent, NotInstalled, RolledBack, Silent
from postrank.deploy.host import Host, HostRefused
from postrank.deploy.marker import Marker
from postrank.errors import PostrankError
from postrank.heartbeat import Heartbeat, NoHeartbeat

_LOOK_SECONDS = 0.5
_PATIENCE_BACK = timedelta(minutes=3)  # at least; what worked before is not given up sooner
_WORKS = ("streaming", "spooling", "draining", "finished")
_TROUBLE = (PostrankError, ClientError, BotoCoreError, Interrupted, KeyboardInterrupt)


@dataclass(slots=True, kw_only=True)
class Rollout:
    """Brings one published release to the host.

    A release is kept once another start of it (`started_at`) has beaten for `steady`; `patience` is for its first
    working beat and for that; what is taken back to has three minutes at least. Clocks of other machines
    are compared only with themselves.
    """

    host: Host
    marker: Marker
    beat: Callable[[], Heartbeat]  # raises NoHeartbeat
    point: Callable[[str, str], None]  # what hosts boot from now on
    say: Callable[[str], None]
    patience: timedelta
    steady: timedelta

    def run(self, version: str, digest: str, who: str) -> None:
        """Deploy, or raise one of `postrank.deploy.failures`; the marker is cleared in any case."""
        with self.marker.held(version, who):
            before = self._install(version, digest)
            start = self._started()
            try:
                self.host.activate(version)
                self.say(f"restarted on {version}; waiting for its heartbeat")
                seen = self._await_beats(version, start, self.patience)
                self.point(version, digest)
            except DeploymentGoesOn:  # the host is somebody else's now
                raise
            except _TROUBLE as why:
                self._take_back(version, before, why)
            self.say(f"{version} is {seen.phase} since {seen.started_at}")

    def _install(self, version: str, digest: str) -> str:
        """Returns the version that ran before. Whatever fails here has touched nothing that runs."""
        try:
            instance = self.host.find()
            self.say(f"installing {version} on {instance}")
            before = self.host.install(version, digest)
        except (HostRefused, ClientError, BotoCoreError) as error:
            raise NotInstalled(f"{version} was not installed; the previous version keeps running: {error}") from error
        self.say(f"installed next to {before or 'nothing'}")
        return before

    def _take_back(self, version: str, before: str, why: BaseException) -> None:
        reason = str(why) or "it was interrupted"
        self.say(f"rolling back {version}: {reason}")
        if not before or before == version:
            raise LeftSilent(
                f"{version} does not work, and there is no previous version to roll back to: {reason}"
            ) from why
        try:
            start = self._started()
            self.host.activate(before)
            self.say(f"restarted on {before}; waiting for its heartbeat")
            self._await_beats(before, start, max(self.patience, _PATIENCE_BACK))
        except _TROUBLE as error:
            raise LeftSilent(
                f"{version} was rolled back ({reason}), but {before} sends no heartbeats either: {error}. "
                "See streamer-silent in docs/runbook.md"
            ) from error
        raise RolledBack(f"{version} was rolled back, {before} works again: {reason}") from why

    def _started(self) -> str | None:
        try:
            return self.beat().started_at
        except NoHeartbeat:
            return None

    def _await_beats(self, version: str, start: str | None, patience: timedelta) -> Heartbeat:
        """The heartbeat that shows that another start than `start` works, in that version. Raises Silent."""
        deadline = time.monotonic() + patience.total_seconds()
        first: Heartbeat | None = None
        while time.monotonic() < deadline:
            self.marker.renew()
            seen = self._seen(version, start)
            if seen and (first is None or first.started_at != seen.started_at):
                first = seen
                self.say(f"heartbeat: {seen.phase}, {seen.counts.get('read', 0):,} read")
            if first and seen and (seen.finished or _lived(first, seen) >= self.steady):
                return seen
            time.sleep(_LOOK_SECONDS)
        beats = (
            f"sent heartbeats, but not for {self.steady.total_seconds():g} s in a row" if first else "sent no heartbeat"
        )
        raise Silent(f"{version} {beats} within {patience.total_seconds():g} s{self._last_words(start)}")

    def _seen(self, version: str, start: str | None) -> Heartbeat | None:
        try:
            seen = self.beat()
        except (NoHeartbeat, BotoCoreError):  # a network that is away may come back
            return None
        return seen if seen.started_at != start and seen.version == version and seen.phase in _WORKS else None

    def _last_words(self, start: str | None) -> str:
        try:
            last = self.beat()
        except NoHeartbeat:
            return ""
        return f"; it reported {last.phase}: {last.error}" if last.started_at != start and last.error else ""


def _lived(first: Heartbeat, last: Heartbeat) -> timedelta:
    return datetime.fromisoformat(last.written_at) - datetime.fromisoformat(first.written_at)
