"""What a streamer is to do: a TOML file, single keys of which the environment can replace.

`POSTRANK_STREAM_<KEY>` replaces a top-level key, `POSTRANK_STREAM_<TABLE>__<KEY>` one in a table, so that
`POSTRANK_STREAM_SINK__FLUSH_SECONDS=0.2` is `flush_seconds` in `[sink]`. Values are read as TOML where they can be,
else as text.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from postrank.aws.resources import MAIN
from postrank.collectors.configuration import Collector, CollectorMap
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.options import Options, WrongSettings
from postrank.sinks.packing import PAYLOAD_UNIT, RECORD_LIMIT
from postrank.sources.registry import SOURCES
from postrank.streamer.engine.reject_quota import STORED_PER_HOUR
from postrank.streamer.host.instance import instance_id
from postrank.windows.keyed_windows import USUAL_VIEWS, VIEW_KEYS, View

_PREFIX = "POSTRANK_STREAM_"


class NoConfig(Fatal):
    """The configuration file cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkConfig:
    """`[sink]`: where records go, and how lines become records."""

    kind: str
    record_bytes: int
    buckets: int
    gzip: bool
    flush_seconds: float
    flush_bytes: int
    in_flight: int
    patience_seconds: float
    read_seconds: float
    folder: Path
    file_bytes: int
    file_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsConfig:
    """`[windows]`."""

    lateness_seconds: float
    retained: int
    sliding_rows: int
    horizon: int
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteConfig:
    """`[remote]`: published bundles of this collector's configuration."""

    seconds: float  # between looks at the bucket; 0: none
    trial_seconds: float  # after which a bundle is kept, or rolled back


@dataclass(frozen=True, slots=True, kw_only=True)
class RawConfig:
    """`[raw]`: the networks' original JSON."""

    keep: bool
    max_bytes: int  # that may wait on the disk for the bucket; what finds no room is counted, and not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a streamer is told, checked."""

    name: str  # of the collector: what is its own on AWS is called by it
    source: str
    collector: str  # who collected, as every record says it
    instance_id: str
    state: Path
    shared: Path  # what the commands of one source share: its budgets and limits
    drain_seconds: float
    sink: SinkConfig
    windows: WindowsConfig
    raw: RawConfig
    spool_bytes: int
    rejects_per_hour: int  # rejected lines of a source that are stored; the others are counted
    heartbeat_seconds: float
    metrics_seconds: float  # 0: none to CloudWatch
    status_port: int  # 0: any free one; -1: none
    source_options: Options  # `[source]` without its `kind`
    kafka_options: Options  # `[sink.kafka]`
    filter_options: Options
    filters_again: Callable[[], Options]  # `[filters]` as it is by now; raises NoConfig
    path: Path
    table: Document  # all of it as it was read, with what the environment replaces
    remote: RemoteConfig
    problems: list[str]  # what is wrong; the tables of options note theirs here too

    @classmethod
    def load(cls, path: Path, environ: Mapping[str, str], name: str | None = None) -> "Config":
        """Read the file and the environment. Raises NoConfig, NoSuchCollector, or WrongSettings that names every
        problem. `name` picks a collector of a map.

        Those of `[source]` and `[filters]` show when these are built.
        """
        config = cls.read(path, environ, name)
        if config.problems:
            raise WrongSettings(config.problems)
        return config

    @classmethod
    def read(cls, path: Path, environ: Mapping[str, str], name: str | None = None) -> "Config":
        """The same for a caller who looks at `problems` once all else is checked. Raises NoConfig, NoSuchCollector, and
        WrongSettings for a wrong map.
        """
        return cls.of_collector(_picked(path, name), environ, path)

    @classmethod
    def of(cls, document: Document, environ: Mapping[str, str], path: Path) -> "Config":
        """The same of a single source's configuration that stands in `path`, or is going to. Raises NoConfig."""
        return cls.of_collector(CollectorMap.of(document, str(path)).pick(), environ, path)

    @classmethod
    def of_collector(cls, collector: Collector, environ: Mapping[str, str], path: Path) -> "Config":
        """The same of one collector of `path`. Raises NoConfig."""
        options = Options(_overridden(collector.table, environ), collector.where)
        config = cls._from(options, environ, path, collector.name)
        options.reject_unknown()
        return config

    @classmethod
    def local(
        cls, path: Path | None, table: Document, environ: Mapping[str, str], state: Path, name: str | None = None
    ) -> "Config":
        """The configuration of a streamer whose output stays on this machine: the file's, if there is one, with the
        tables of `table` over it and its state in `state`. What was spent is counted where the file's own state is.

        Raises NoConfig, NoSuchCollector.
        """
        document = (_picked(path, name).table if path else {}) | table | {"state": str(state), "status": {"port": -1}}
        sink = {name: value for name, value in document.get("sink", {}).items() if name.startswith("flush")}
        document["raw"] = {"keep": False}  # one file takes posts; their JSON belongs to a lake
        options = Options(_overridden({**document, "sink": {**sink, "kind": "files", "gzip": True}}, environ), "")
        config = cls._from(options, environ, path or state, MAIN)
        options.reject_unknown()
        if path is None:
            filters = document.get("filters", {})
            return replace(config, filters_again=lambda: Options(filters, "filters"))
        configured = _picked(path, name).table.get("state")
        return replace(config, shared=Path(configured)) if type(configured) is str else config

    @classmethod
    def _from(cls, options: Options, environ: Mapping[str, str], path: Path, name: str) -> "Config":
        chosen = options.table("source")
        source = chosen.text("kind", among=tuple(SOURCES))
        instance = options.text("instance_id") if options.optional("instance_id") else instance_id(environ)
        filters = options.table("filters")
        spool = options.table("spool")
        rejects = options.table("rejects")
        heartbeat = options.table("heartbeat")
        status = options.table("status")
        sink = options.table("sink")
        kafka = sink.table("kafka")
        metrics = options.table("metrics")
        state = options.path("state")
        config = cls(
            name=name,
            source=source,
            collector=options.text("collector", instance),
            instance_id=instance,
            state=state,
            shared=state,
            drain_seconds=options.number("drain_seconds", 25.0),
            sink=_sink(sink),
            kafka_options=kafka,
            windows=_windows(options.table("windows")),
            raw=_raw(options.table("raw")),
            rejects_per_hour=rejects.whole("stored_per_hour", STORED_PER_HOUR),
            spool_bytes=spool.whole("max_bytes", 1 << 30, at_least=1 << 20),
            heartbeat_seconds=heartbeat.number("seconds", 5.0, at_least=0.1),
            metrics_seconds=metrics.number("seconds", 60.0),
            status_port=status.whole("port", -1, at_least=-1, at_most=65535),
            source_options=chosen,
            filter_options=filters,
            filters_again=lambda: Options(_overridden(_picked(path, name).table, environ), "").table("filters"),
            path=path,
            table=dict(options.as_read()),
            remote=_remote(options.table("remote")),
            problems=options.problems,
        )
        for table in (spool, rejects, heartbeat, status, metrics):
            table.reject_unknown()
        return config


def _sink(options: Options) -> SinkConfig:
    config = SinkConfig(
        kind=options.text("kind", "kinesis", among=("kinesis", "kafka", "files", "s3")),
        record_bytes=options.whole("record_bytes", PAYLOAD_UNIT, at_least=1024, at_most=RECORD_LIMIT),
        buckets=options.whole("buckets", 32, at_least=1, at_most=65536),
        gzip=options.flag("gzip", False),
        flush_seconds=options.number("flush_seconds", 1.0, at_least=0.01, at_most=60),
        flush_bytes=options.whole("flush_bytes", 4 << 20, at_least=1024, at_most=64 << 20),
        in_flight=options.whole("in_flight", 4, at_least=1, at_most=64),
        patience_seconds=options.number("patience_seconds", 10.0),
        read_seconds=options.number("read_seconds", 10.0, at_least=0.1),
        folder=options.path("folder", "."),
        file_bytes=options.whole("file_bytes", 64 << 20, at_least=1024),
        file_seconds=options.number("file_seconds", 300.0, at_least=0.1),
    )
    if config.kind == "kafka" and config.gzip:
        options.wrong("gzip", "must be false with kind kafka, which compresses batches of lines by itself (zstd)")
    if config.kind != "kafka" and options.is_set("kafka"):
        options.wrong("kafka", f"is for kind kafka, and kind is {config.kind}")
    options.reject_unknown()
    return config


def _raw(options: Options) -> RawConfig:
    config = RawConfig(
        keep=options.flag("keep", False), max_bytes=options.whole("max_bytes", 1 << 30, at_least=1 << 20)
    )
    options.reject_unknown()
    return config


def _remote(options: Options) -> RemoteConfig:
    config = RemoteConfig(
        seconds=options.number("seconds", 30.0, at_most=3600),
        trial_seconds=options.number("trial_seconds", 60.0, at_least=0.1, at_most=3600),
    )
    options.reject_unknown()
    return config


def _windows(options: Options) -> WindowsConfig:
    config = WindowsConfig(
        lateness_seconds=options.number("lateness_seconds", 30.0),
        retained=options.whole("retained", 500_000, at_least=1000),
        sliding_rows=options.whole("sliding_rows", 40),
        horizon=options.whole("horizon", 200_000, at_least=1),
        views=_views(options),
    )
    options.reject_unknown()
    return config


def _views(options: Options) -> tuple[View, ...]:
    """`[[windows.views]]`: `name`, `of` (log or post), `key`, `seconds`, `step_seconds`; of logs `status_at_least`."""
    if not options.optional("views"):
        return USUAL_VIEWS
    views = []
    for table in options.tables("views"):
        of = table.text("of", "log", among=tuple(VIEW_KEYS))
        seconds = table.whole("seconds", 60, at_least=1, at_most=3600)
        step = table.whole("step_seconds", seconds, at_least=1, at_most=3600)
        if seconds % step:
            table.wrong("step_seconds", f"must divide seconds, and {step} does not divide {seconds}")
        status = table.whole("status_at_least", at_most=999) if table.optional("status_at_least") else None
        if status is not None and of != "log":
            table.wrong("status_at_least", "is for views of log")
        name = table.text("name", matching=r"[a-z][a-z0-9_]{0,40}")
        key = table.text("key", among=VIEW_KEYS.get(of, ()))
        views.append(View(name, of, key, seconds * 1000, step * 1000, status))
        table.reject_unknown()
    names = [view.name for view in views]
    if len(set(names)) < len(names):
        options.wrong("views", f"must have names of their own, not {', '.join(names)}")
    return tuple(views)


def read_map(path: Path) -> CollectorMap:
    """The collectors of a configuration file. Raises NoConfig, and WrongSettings for a wrong map."""
    return CollectorMap.of(read_document(path), str(path))


def _picked(path: Path, name: str | None = None) -> Collector:
    """One collector of a configuration file. Raises NoConfig, NoSuchCollector, WrongSettings."""
    return read_map(path).pick(name)


def read_document(path: Path) -> Document:
    """A configuration file as it is. Raises NoConfig."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoConfig(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NoConfig(f"the configuration {path} is no TOML: {error}") from error


def _overridden(table: Document, environ: Mapping[str, str]) -> Document:
    """The table with what the environment replaces. Raises NoConfig."""
    for name, text in environ.items():
        if name.startswith(_PREFIX):
            *path, key = name.removeprefix(_PREFIX).lower().split("__")
            inner = table
            for part in path:
                if not isinstance(inner.setdefault(part, {}), dict):
                    raise NoConfig(f"{name} names a key of {part}, which is no table in the configuration")
                inner = inner[part]
            inner[key] = _value(text)
    return table


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
