"""Putting a streamer together from its configuration: the one place where its parts meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.bundles.publications import Publications
from postrank.options import WrongSettings
from postrank.settings import Settings
from postrank.sinks import POSTS, WINDOWS, Sink
from postrank.sinks.packing import LinePacker, Packer
from postrank.sources import Measured, Source, Surroundings, registry
from postrank.streamer.bundle_follower import Follower
from postrank.streamer.config import Config
from postrank.streamer.engine.checkpoint import Checkpoint
from postrank.streamer.engine.filters import Filters
from postrank.streamer.engine.ledgers import Ledgers
from postrank.streamer.engine.originals import Originals
from postrank.streamer.engine.pump import Progress, Pump
from postrank.streamer.engine.reader import Reader
from postrank.streamer.engine.shipper import Shipper
from postrank.streamer.engine.spool import Spool
from postrank.streamer.host.bundle_store import BundleStore
from postrank.streamer.host.folder_claim import Claim, usable
from postrank.streamer.kafka_topics import KafkaTopics
from postrank.streamer.outlets import AwsOutlet, FolderOutlet, Outlet
from postrank.streamer.secrets import Secrets
from postrank.streamer.service import Service
from postrank.streamer.telemetry.reporter import Reporter
from postrank.streamer.telemetry.status import TOP_ROWS, StatusServer
from postrank.windows.author_windows import AuthorWindows
from postrank.windows.keyed_windows import KeyedWindows
from postrank.windows.seen_posts import Seen
from postrank.windows.sliding_view import Sliding

_LIMITED = ("x", "mastodon")  # sources that count what they may read, or pay for, beyond one command


def build(config: Config, environ: Mapping[str, str], hosted: "Hosted | None" = None) -> Service:
    """The streamer that a configuration asks for. With `hosted` it follows the bundles published for it.

    Raises WrongSettings for all that is wrong in file and environment, and Fatal for what cannot work.
    """
    filters = build_filters(config)
    try:
        settings = Settings.of(environ)
    except WrongSettings as wrong:
        config.problems.extend(wrong.problems)
        build_source(config, environ, None)
        raise
    names = Resources.of(settings.environment, settings.account, settings.region).of_collector(config.name)
    clients = Clients(names.region)
    kafka = build_kafka(config, environ, clients, names.streams)
    source = build_source(config, environ, clients)
    service = _Assembly(config, AwsOutlet(config, names, clients, kafka)).service(source, filters)
    if hosted is not None:
        s3 = clients.get("s3", attempts=1, read_seconds=10.0)
        service.follower = Follower(
            base=hosted.base,
            config=config,
            environ=environ,
            store=hosted.store,
            publications=Publications(s3, names.buckets["artifacts"], config.name),
            filters=filters,
            source=source,
            build_filters=build_filters,
            check_source=lambda other: _checked_source(other, environ, names.streams),
            contact=lambda: service.pump.progress.contact,
        )
        service.reporter.configuration = hosted.store.report
    return service


def build_local(config: Config, environ: Mapping[str, str], folder: Path) -> Service:
    """The same streamer without AWS: records, ledgers and heartbeat are files below `folder`.

    Raises WrongSettings, Fatal.
    """
    filters = build_filters(config)
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"  # of Secrets Manager alone
    source = build_source(config, environ, Clients(region))
    return _Assembly(config, FolderOutlet(config, folder)).service(source, filters)


def build_filters(config: Config) -> Filters:
    """The filters; what is wrong with them is noted in the configuration's problems."""
    by_id = config.source == "bluesky"
    filters = Filters.build(config.filter_options, config.filters_again, config.path, by_id=by_id)
    config.filter_options.reject_unknown()
    return filters


def build_source(config: Config, environ: Mapping[str, str], clients: Clients | None) -> Source:
    """The source alone, with the secrets that it is told of; without `clients`, those of Secrets Manager are not.

    Raises WrongSettings with every problem that the configuration has by now.
    """
    if config.source not in registry.SOURCES:
        raise WrongSettings(config.problems)
    if config.shared != config.state and config.source in _LIMITED:
        usable("state", config.shared / config.source)
    config.source_options.resolve(Secrets(environ, clients).resolve)
    surroundings = Surroundings(state=config.shared / config.source, keeps_originals=config.raw.keep)
    return registry.build(config.source, config.source_options, surroundings)


def build_kafka(
    config: Config, environ: Mapping[str, str], clients: Clients | None, streams: Mapping[str, str]
) -> KafkaTopics | None:
    """The cluster and topics of the sink, with its secrets; None for another sink.

    What is wrong is noted in the configuration's problems. `streams` are the topics' names where none are named.
    """
    if config.sink.kind != "kafka":
        return None
    config.kafka_options.resolve(Secrets(environ, clients).resolve)
    topics = KafkaTopics.of(config.kafka_options, streams)
    config.kafka_options.reject_unknown()
    return topics


def _checked_source(config: Config, environ: Mapping[str, str], streams: Mapping[str, str]) -> Source:
    """The source of a configuration that is only checked, sink included. Raises WrongSettings."""
    build_kafka(config, environ, None, streams)
    return build_source(config, environ, None)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A streamer whose configuration can be replaced by published bundles."""

    base: Config  # the host's own file
    store: BundleStore


@dataclass(slots=True)
class _Assembly:
    config: Config
    outlet: Outlet

    def service(self, source: Source, filters: Filters) -> Service:
        config, state = self.config, self.config.state
        claim = Claim.of(state)
        sink = self.outlet.sink()
        spool = Spool(state / "spool", config.spool_bytes)
        progress = Progress()
        ledgers = Ledgers(state / "ledgers", self.outlet.ledgers_prefix, config.collector, config.rejects_per_hour)
        originals = Originals(state / "originals", config.collector, config.raw.max_bytes) if config.raw.keep else None
        checkpoint = Checkpoint(state / "checkpoint.journal")
        windows = self.windows()
        shipper = Shipper(sink, spool, config.sink.in_flight)
        pump = Pump(
            shipper=shipper,
            checkpoint=checkpoint,
            posts=self.packer(POSTS),
            windows_packer=self.packer(WINDOWS),
            windows=windows,
            keyed=self.keyed(),
            originals=originals,
            filters=filters,
            ledgers=ledgers,
            progress=progress,
            collector=config.collector,
            source=config.source,
            flush_seconds=config.sink.flush_seconds,
            flush_bytes=config.sink.flush_bytes,
            top_rows=TOP_ROWS if config.status_port >= 0 else 0,
        )
        shipper.commit = pump.commit
        reader = Reader(source, pump.restore())
        reporter = self.reporter(progress, spool, shipper, sink, ledgers, _gauges_of(source), lambda: windows.newest_ms)
        reporter.originals = originals
        return Service(
            config=config,
            sink=sink,
            reader=reader,
            shipper=shipper,
            spool=spool,
            pump=pump,
            filters=filters,
            reporter=reporter,
            checkpoint=checkpoint,
            claim=claim,
            metrics=self.outlet.metrics(reporter),
            status=StatusServer(reporter, config.status_port) if config.status_port >= 0 else None,
        )

    def packer(self, stream: str) -> Packer | LinePacker:
        config = self.config.sink
        if config.kind == "kafka":
            return LinePacker(stream)
        return Packer(stream, record_bytes=config.record_bytes, buckets=config.buckets, gzipped=config.gzip)

    def windows(self) -> AuthorWindows:
        config = self.config.windows
        return AuthorWindows(
            lateness_ms=round(config.lateness_seconds * 1000),
            retained=config.retained,
            sliding=Sliding(rows=config.sliding_rows),
            seen=Seen(horizon=config.horizon),
        )

    def keyed(self) -> KeyedWindows:
        config = self.config.windows
        seen = Seen(horizon=config.horizon)
        return KeyedWindows(config.views, lateness_ms=round(config.lateness_seconds * 1000), seen=seen)

    def reporter(
        self,
        progress: Progress,
        spool: Spool,
        shipper: Shipper,
        sink: Sink,
        ledgers: Ledgers,
        source_gauges: Callable[[], dict[str, float]],
        newest_ms: Callable[[], int | None],
    ) -> Reporter:
        return Reporter(
            progress=progress,
            spool=spool,
            shipper=shipper,
            sink=sink,
            ledgers=ledgers,
            source_gauges=source_gauges,
            newest_ms=newest_ms,
            collector=self.config.collector,
            instance_id=self.config.instance_id,
            source=self.config.source,
            seconds=self.config.heartbeat_seconds,
            put=self.outlet.put,
            key=self.outlet.heartbeat_key,
        )


def _gauges_of(source: Source) -> Callable[[], dict[str, float]]:
    return lambda: dict(source.gauges()) if isinstance(source, Measured) else {}
