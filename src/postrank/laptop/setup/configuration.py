"""The streamer's configuration in a run: the file that was named, if any, with what a laptop decides itself."""

import json
from collections.abc import Mapping

from postrank.documents import Document, JsonObject
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options

FILE = "streamer.toml"
_HEARTBEAT_SECONDS = 1.0  # what is shown of the streamer is at most so old


def configuration(options: Options, layout: Layout) -> Document:
    """The document of `streamer.toml`. Raises NoConfig, NoSuchInput.

    The state is always below `layout.var`. A table of a wrong type stays as it is: the streamer's check reports it.
    """
    document = options.document
    files = options.files(layout)
    source = {"kind": options.kind, **({"files": [str(path) for path in files]} if files else {})}
    return {
        **document,
        "state": str(layout.streamer / "state"),
        "source": _merged(document.get("source", {}), source),
        "heartbeat": _merged({"seconds": _HEARTBEAT_SECONDS}, document.get("heartbeat", {})),
    }


def toml(document: JsonObject) -> str:
    """A document as TOML: a table for each mapping at the top, everything within them on one line."""
    plain = [f"{key} = {inline(value)}" for key, value in document.items() if not isinstance(value, Mapping)]
    tables = [
        f"\n[{key}]\n" + "\n".join(f"{_key(name)} = {inline(item)}" for name, item in table.items())
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


def _merged(base: object, more: object) -> object:
    if not isinstance(base, dict):
        return base
    return {**base, **more} if isinstance(more, dict) else more
