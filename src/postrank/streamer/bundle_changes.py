"""What a bundle makes of a streamer's configuration, and whether that needs a restart."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from postrank.bundles.bundle import CONFIGURATION, FILE_KEYS, HOST_KEYS, Bundle, located
from postrank.collectors.configuration import Collector
from postrank.documents import Document
from postrank.options import Options, WrongSettings
from postrank.streamer.config import Config


def configured(base: Config, folder: Path, environ: Mapping[str, str]) -> Config:
    """The configuration of a bundle in a folder, with what the host keeps of its own.

    Raises BadBundle, NoConfig, and WrongSettings for a source of another kind, whose cursor would be no use.
    """
    bundle = Bundle.from_folder(folder)
    own = {key: base.table[key] for key in HOST_KEYS if key in base.table}
    table = {**located(bundle.table, folder), **own}
    kind = table.get("source", {}).get("kind") if isinstance(table.get("source"), Mapping) else None
    if kind != base.source:
        problem = f"source.kind is {kind!r} and was {base.source!r}: another source needs a collector of its own"
        raise WrongSettings([problem])
    config = Config.of_collector(Collector(name=base.name, table=table), environ, folder / CONFIGURATION)
    filters = dict(config.filter_options.as_read())
    return replace(config, filters_again=lambda: Options(filters, "filters"))


def needs_restart(now: Config, then: Config, adjustable: frozenset[str]) -> bool:
    """Whether more than filters and the adjustable options of the source differs."""
    return _beyond(now, adjustable) != _beyond(then, adjustable)


def adjusts(now: Config, then: Config, adjustable: frozenset[str]) -> bool:
    """Whether adjustable options of the source differ."""
    return _source_part(now, adjustable) != _source_part(then, adjustable)


def _beyond(config: Config, adjustable: frozenset[str]) -> Document:
    document = _by_content(config)
    source = {key: value for key, value in document.pop("source", {}).items() if key not in adjustable}
    document.pop("filters", None)
    return {**document, "source": source}


def _source_part(config: Config, adjustable: frozenset[str]) -> Document:
    return {key: value for key, value in _by_content(config).get("source", {}).items() if key in adjustable}


def _by_content(config: Config) -> Document:
    """The table with the checksum of each file that it names instead of the name: bundles lie in different folders."""
    document = dict(config.table)
    for section, key in FILE_KEYS:
        tables = document.get(section)
        if isinstance(tables, Mapping) and isinstance(tables.get(key), str):
            document[section] = {**tables, key: _digest(Path(tables[key]).expanduser())}
    return document


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
