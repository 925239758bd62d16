"""The streamer as a whole: built from its configuration, run until its source ends or it is told to stop."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.settings import Settings
from postrank.sinks import POSTS, WINDOWS, Sink
from postrank.sinks.kinesis import KinesisSink
from postrank.sinks.packing import Packer
from postrank.sources import Measured, Source, Surroundings, registry
from postrank.streamer.checkpoint import Checkpoint
from postrank.streamer.config import Config
from postrank.streamer.filters import Filters
from postrank.streamer.ledgers import Ledgers
from postrank.streamer.pump import Progress, Pump
from postrank.streamer.reader import Reader
from postrank.streamer.reporter import Reporter
from postrank.streamer.shipper import Shipper
from postrank.streamer.spool import Spool
from postrank.windows.author_windows import AuthorWindows
from postrank.windows.seen import Seen
from postrank.windows.sliding import Sliding

log = logging.getLogger(__name__)
_FILTERS_SECONDS = 2.0  # between looks at the filters' files


@dataclass(slots=True, kw_only=True)
class Service:
    """All parts of one streamer. `run` once; `stop` from a signal handler."""

    config: Config
    source: Source
    sink: Sink
    reader: Reader
    shipper: Shipper
    spool: Spool
    pump: Pump
    filters: Filters
    reporter: Reporter
    checkpoint: Checkpoint

    @classmethod
    def build(cls, config: Config, environ: Mapping[str, str]) -> "Service":
        """Put the parts together. Raises WrongSettings, and Fatal for what cannot work."""
        settings = Settings.of(environ)
        names = Resources.of(settings.environment, settings.account, settings.region)
        clients = Clients(names.region)
        config.state.mkdir(parents=True, exist_ok=True)
        filters = Filters.build(config.filter_options)
        config.filter_options.finish()
        source = registry.build(config.source, config.source_options, Surroundings(state=config.state / config.source))
        sink = _sink(config, names, clients)
        progress, spool = Progress(), Spool(config.state / "spool", config.spool_bytes)
        ledgers = Ledgers(config.state / "ledgers", names.keys["ledgers"], config.collector)
        checkpoint = Checkpoint(config.state / "checkpoint.journal")
        return _assembled(config, names, clients, filters, source, sink, progress, spool, ledgers, checkpoint)

    def run(self) -> None:
        """Stream until the source ends or `stop`.

        What is not acknowledged then is in the spool or will be read again.
        """
        self.reporter.start()
        self.reader.start()
        watcher = threading.Thread(target=self._watch_filters, name="filters", daemon=True)
        watcher.start()
        self.reporter.phase = "streaming"
        try:
            self.pump.run()
            self.reporter.phase = "draining"
            self._drain()
        except BaseException as error:
            self.reporter.phase, self.reporter.error = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            self.reader.stop()
            self.shipper.stop()
            self.reporter.stop()
            self.sink.close()
            self.checkpoint.close()

    def stop(self) -> None:
        """Read no more; `run` returns once what was read is durable."""
        self.reader.stop()
        self.pump.stopping.set()

    def _drain(self) -> None:
        """Wait until all is durable; at the end of a source until all is acknowledged, however long AWS is away."""
        deadline = time.monotonic() + self.config.drain_seconds
        while not self.shipper.wait_idle(0.5) or (len(self.spool) and not self.shipper.wait_empty(0.5)):
            if self.shipper.failure is not None:
                raise self.shipper.failure
            if self.pump.stopping.is_set() and time.monotonic() > deadline:
                log.warning("drain ended early", extra={"fields": {"spooled_bytes": self.spool.bytes}})
                return
        if self.shipper.failure is not None:
            raise self.shipper.failure
        if self.reader.finished:
            self.reporter.phase, self.reporter.finished = "finished", True

    def _watch_filters(self) -> None:
        while not self.pump.stopping.wait(_FILTERS_SECONDS):
            if self.filters.refresh():
                log.info("filters read again")


def _sink(config: Config, names: Resources, clients: Clients) -> Sink:
    client = clients.get(
        "kinesis", attempts=1, connections=config.sink.in_flight + 1, read_seconds=config.sink.read_seconds
    )
    return KinesisSink(client=client, streams=names.streams, patience=config.sink.patience_seconds)


def _assembled(
    config: Config,
    names: Resources,
    clients: Clients,
    filters: Filters,
    source: Source,
    sink: Sink,
    progress: Progress,
    spool: Spool,
    ledgers: Ledgers,
    checkpoint: Checkpoint,
) -> Service:
    shipper = Shipper(sink, spool, config.sink.in_flight)
    posts, author_windows = (
        Packer(stream, record_bytes=config.sink.record_bytes, buckets=config.sink.buckets, gzipped=config.sink.gzip)
        for stream in (POSTS, WINDOWS)
    )
    windows = AuthorWindows(
        lateness_ms=round(config.windows.lateness_seconds * 1000),
        retained=config.windows.retained,
        sliding=Sliding(rows=config.windows.sliding_rows),
        seen=Seen(horizon=config.windows.horizon),
    )
    pump = Pump(
        reader=None,  # type: ignore[arg-type]
        shipper=shipper,
        checkpoint=checkpoint,
        posts=posts,
        windows_packer=author_windows,
        windows=windows,
        filters=filters,
        ledgers=ledgers,
        progress=progress,
        collector=config.collector,
        source=config.source,
        flush_seconds=config.sink.flush_seconds,
        flush_bytes=config.sink.flush_bytes,
    )
    shipper.commit = pump.commit
    pump.reader = Reader(source, pump.restore())
    reporter = Reporter(
        progress=progress,
        spool=spool,
        shipper=shipper,
        sink=sink,
        ledgers=ledgers,
        source_gauges=lambda: dict(source.gauges()) if isinstance(source, Measured) else {},
        collector=config.collector,
        instance_id=config.instance_id,
        source=config.source,
        seconds=config.heartbeat_seconds,
        s3=clients.get("s3", attempts=2, read_seconds=10.0),
        bucket=names.buckets["raw"],
        key=names.keys["heartbeat"],
    )
    return Service(
        config=config,
        source=source,
        sink=sink,
        reader=pump.reader,
        shipper=shipper,
        spool=spool,
        pump=pump,
        filters=filters,
        reporter=reporter,
        checkpoint=checkpoint,
    )
