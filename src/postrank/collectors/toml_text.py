"""Configurations as TOML text."""

import json
from collections.abc import Iterable, Mapping

from postrank.collectors.configuration import KEY, Collector
from postrank.documents import JsonObject


def map_toml(collectors: Iterable[Collector]) -> str:
    """A map of collectors, without their hosts, as a streamer reads it."""
    return "\n".join(toml(_without_label(collector), f"{KEY}.{collector.name}") for collector in collectors)


def toml(document: JsonObject, name: str = "") -> str:
    """A document as TOML, within the table of that name: a table for each mapping at the top, everything within them
    on one line.
    """
    plain = [f"[{name}]"] if name else []
    plain += [f"{_key(key)} = {inline(value)}" for key, value in document.items() if not isinstance(value, Mapping)]
    prefix = f"{name}." if name else ""
    tables = [
        f"\n[{prefix}{_key(key)}]\n" + "\n".join(f"{_key(name)} = {inline(item)}" for name, item in table.items())
        for key, table in document.items()
        if isinstance(table, Mapping)
    ]
    return "\n".join([*plain, *tables]) + "\n"


def inline(value: object) -> str:
    """A value as TOML on one line; JSON's texts, numbers and truth values are TOML's."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    return json.dumps(value, default=str)


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else json.dumps(name)


def _without_label(collector: Collector) -> JsonObject:
    """The table as a map has it: its name says what `collector` would."""
    return {key: value for key, value in collector.table.items() if key != "collector"}
