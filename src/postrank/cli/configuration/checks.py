"""Checking what is to be published, as its host will check it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from postrank.bundles.bundle import Bundle, located
from postrank.documents import JsonObject
from postrank.options import WrongSettings
from postrank.streamer.assembly import build_filters, build_kafka, build_source
from postrank.streamer.config import Config, read_map

_STATE = "/var/lib/postrank"  # of a file that leaves it to its hosts
_REFERENCE = re.compile(r"env:(.+)")


def checked_bundles(path: Path, names: Collection[str] = ()) -> dict[str, Bundle]:
    """The bundles of a file's collectors, or of those named. Files are relative to the file's folder.

    Raises NoConfig, NoSuchCollector, BadBundle, and WrongSettings with every problem.
    """
    collector_map = read_map(path)
    collectors = [collector_map.pick(name) for name in names] or list(collector_map.collectors.values())
    problems: list[str] = []
    bundles = {}
    for collector in collectors:
        table = {"state": _STATE, **located(collector.table, path.parent)}
        config = Config.of_collector(replace(collector, table=table), {}, path)
        build_filters(config)
        environ = dict.fromkeys(_variables(collector.table), "unresolved")
        build_kafka(config, environ, None, {})
        try:
            build_source(config, environ, None)
        except WrongSettings:
            problems += config.problems
        problems += [
            f"{key} must be a reference such as secretsmanager:NAME: a bundle holds no secrets"
            for key in [*config.source_options.plain_secrets, *config.kafka_options.plain_secrets]
        ]
        if not problems:
            bundles[collector.name] = Bundle.of(collector, path.parent)
    if problems:
        raise WrongSettings(list(dict.fromkeys(problems)))
    return bundles


def _variables(table: JsonObject) -> Iterator[str]:
    """The variables that a configuration refers to; their values are the host's."""
    for value in _texts(table):
        if match := _REFERENCE.fullmatch(value):
            yield match[1]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
