"""The streamer as a whole: its parts run until the source ends or it is told to stop."""

import logging
import threading
import time
from dataclasses import dataclass, field

from postrank.sinks import Sink
from postrank.streamer.bundle_follower import Follower
from postrank.streamer.config import Config
from postrank.streamer.engine.checkpoint import Checkpoint
from postrank.streamer.engine.filters import Filters
from postrank.streamer.engine.pump import Pump
from postrank.streamer.engine.reader import Reader
from postrank.streamer.engine.shipper import Shipper
from postrank.streamer.engine.spool import Spool
from postrank.streamer.host.folder_claim import Claim
from postrank.streamer.telemetry.metrics import Metrics
from postrank.streamer.telemetry.reporter import Reporter
from postrank.streamer.telemetry.status import StatusServer

log = logging.getLogger(__name__)
_FILTERS_SECONDS = 2.0  # between looks at the filters' files
_FOLLOWER_SECONDS = 30.0  # for what it does with S3
_STAY_SECONDS = 1.0  # between signs of life of a finished streamer


@dataclass(slots=True, kw_only=True)
class Service:
    """All parts of one streamer. `run` once; `stop` from a signal handler."""

    config: Config
    sink: Sink
    reader: Reader
    shipper: Shipper
    spool: Spool
    pump: Pump
    filters: Filters
    reporter: Reporter
    checkpoint: Checkpoint
    claim: Claim
    metrics: Metrics | None
    status: StatusServer | None
    follower: Follower | None = None  # of published configurations
    restarting: bool = False  # whether `run` returned for a new configuration
    stay: bool = False  # whether a streamer that has finished waits for `stop` instead of ending
    _ended: threading.Event = field(default_factory=threading.Event)
    _following: threading.Thread | None = None

    def run(self) -> None:
        """Stream until the source ends or `stop`.

        What is not acknowledged then is in the spool or will be read again.
        """
        self.reporter.start()
        for part in (self.metrics, self.status):
            if part is not None:
                part.start()
        self.reader.start()
        watcher = threading.Thread(target=self._watch_filters, name="filters", daemon=True)
        watcher.start()
        self._follow()
        self.reporter.phase = "streaming"
        self.pump.notifier.ready()
        try:
            self.pump.run(self.reader)
            self.reporter.phase = "draining"
            self._drain()
            self.reporter.phase = "finished" if self.reporter.finished else "stopped"
            if self.reporter.finished and self.stay:
                self._stay()
        except BaseException as error:
            self.reporter.phase, self.reporter.error = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            self._ended.set()
            self.reader.stop()
            self.sink.hurry()
            self.shipper.stop()
            for part in (self.metrics, self.status):
                if part is not None:
                    part.stop()
            if self._following is not None:  # before another streamer uses the same state
                self._following.join(_FOLLOWER_SECONDS)
            self.reporter.stop()
            self.sink.close()
            self.checkpoint.close()
            self.claim.release()

    def stop(self) -> None:
        """Read no more; `run` returns once what was read is durable."""
        self.reader.stop()
        self.pump.stopping.set()

    def restart(self) -> None:
        """Stop as `stop` does; whoever runs the streamer then builds it anew."""
        self.restarting = True
        self.stop()

    def _follow(self) -> None:
        if self.follower is None:
            return
        self.follower.restart = self.restart
        self._following = threading.Thread(
            target=self.follower.run, args=(self._ended,), name="configuration", daemon=True
        )
        self._following.start()

    def _drain(self) -> None:
        """Wait until all is durable; at the end of a source until all is acknowledged, however long AWS is away."""
        deadline = time.monotonic() + self.config.drain_seconds
        while not self.shipper.wait_idle(0.5) or (len(self.spool) and not self.shipper.wait_empty(0.5)):
            self.pump.notifier.alive()
            if self.shipper.failure is not None:
                raise self.shipper.failure
            if self.pump.stopping.is_set() and time.monotonic() > deadline:
                log.warning("drain ended early", extra={"fields": {"spooled_bytes": self.spool.bytes}})
                return
        if self.shipper.failure is not None:
            raise self.shipper.failure
        if self.reader.finished:
            self.reporter.finished = True

    def _stay(self) -> None:
        """Do nothing but report until `stop`: a supervisor that restarts whatever ends has nothing to restart."""
        log.info("finished; waiting to be stopped")
        while not self.pump.stopping.wait(_STAY_SECONDS):
            self.pump.notifier.alive()

    def _watch_filters(self) -> None:
        while not self.pump.stopping.wait(_FILTERS_SECONDS):
            if self.filters.refresh():
                log.info("filters read again")
