"""A configuration as a map of collectors: `[collectors.NAME.source]`, `.filters`, `.sink` and so on, and `.host`.

A file with one `[source]` at its top is a map of one collector, `main`, whose names on AWS have no suffix.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postrank.aws.resources import MAIN
from postrank.collectors.labels import NoSuchCollector, problem_of
from postrank.documents import Document
from postrank.options import Options, WrongSettings

KEY = "collectors"
_ARM_TYPE = r"[a-z]+[0-9]+g[a-z]*\.[a-z0-9]+"
_LEAST_GIB = 4
# Keys of a file with one source, which in a map belong to a collector.
_OF_ONE = (
    "collector", "drain_seconds", "filters", "heartbeat", "instance_id", "metrics", "raw", "rejects", "remote", "sink",
    "source", "spool", "status", "windows",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSize:
    """`[collectors.NAME.host]`: the size of the collector's instance; None: the environment's."""

    instance_type: str | None = None
    state_gib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """One collector. `table` is what a file with one source holds: `state`, `[source]`, `[filters]`, `[sink]`, ..."""

    name: str
    table: Document
    where: str = ""  # the prefix of its keys in messages
    host: HostSize = field(default_factory=HostSize)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorMap:
    """All collectors of a configuration by name, in the file's order. `where` names the file in messages."""

    collectors: Mapping[str, Collector]
    where: str

    @classmethod
    def of(cls, document: Document, where: str) -> "CollectorMap":
        """The map of a file that was read. Raises WrongSettings that names every problem of the map itself; those of
        a collector's tables show when they are read.
        """
        if KEY not in document:
            return cls(collectors={MAIN: Collector(name=MAIN, table=document)}, where=where)
        options = Options(document, "")
        _reject_misplaced(options, document)
        state = options.text("state") if options.optional("state") else None
        options.table(KEY)
        collectors = {
            name: _collector(name, Options(table, f"{KEY}.{name}"), state, options)
            for name, table in _tables(document, options)
        }
        options.reject_unknown()
        if options.problems:
            raise WrongSettings(options.problems)
        return cls(collectors=collectors, where=where)

    def pick(self, name: str | None = None) -> Collector:
        """The collector of a name; without one, the only collector, or else `main`. Raises NoSuchCollector."""
        if name is None and len(self.collectors) == 1:
            return next(iter(self.collectors.values()))
        if (collector := self.collectors.get(name or MAIN)) is not None:
            return collector
        raise NoSuchCollector(name or MAIN, self.collectors, self.where)


def _tables(document: Document, options: Options) -> Iterator[tuple[str, Document]]:
    """The collectors' tables as they stand in the file, without those that are none."""
    tables = document[KEY]
    if not isinstance(tables, dict):
        return  # noted where the table was read
    if not tables:
        options.wrong(KEY, "holds no collector: write [collectors.NAME.source], or [source] for a single one")
    for name, table in tables.items():
        if (problem := problem_of(name)) is not None:
            options.wrong(f"{KEY}.{name}", problem)
        if isinstance(table, dict):
            yield name, table
        else:
            options.wrong(f"{KEY}.{name}", "must be a table: write [collectors.NAME.source] and so on")


def _collector(name: str, options: Options, state: str | None, whole: Options) -> Collector:
    """One collector of the map, with the state folder and the label that its name gives it."""
    options.problems = whole.problems
    table = dict(options.as_read())
    host = options.table("host")
    size = HostSize(
        instance_type=host.text("instance_type", matching=_ARM_TYPE) if host.optional("instance_type") else None,
        state_gib=host.whole("state_gib", at_least=_LEAST_GIB) if host.optional("state_gib") else None,
    )
    host.reject_unknown()
    if "collector" in table:
        options.wrong("collector", "must be left out: the name of a collector is what its posts say")
    if "state" not in table and state is not None:
        table["state"] = state if name == MAIN else f"{state.rstrip('/')}-{name}"
    table.pop("host", None)
    return Collector(name=name, table={**table, "collector": name}, where=f"{KEY}.{name}", host=size)


def _reject_misplaced(options: Options, document: Document) -> None:
    for key in _OF_ONE:
        if key in document:
            options.optional(key)
            options.wrong(key, f"belongs to one collector: move it to [{KEY}.NAME], beside its source")
