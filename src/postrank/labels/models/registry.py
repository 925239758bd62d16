"""From the name of a model to a labeller: a built-in one, a stored one, an entry point, an attribute of a module."""

import json
import re
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from postrank.documents import JsonObject
from postrank.errors import Fatal
from postrank.extras import missing_extra
from postrank.labels.labeller import Labeller
from postrank.labels.models.store import METRICS, MODEL, Store, stored_files
from postrank.suggestions import nearest

GROUP = "postrank.labels"  # of entry points
_BUILT_IN = {"vader": "postrank.labels.models.lexicon:Vader.build"}
_STORED = re.compile(r"trained:(?P<name>[^@]+)@(?P<version>.+)")
_ATTRIBUTE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")

Build = Callable[[JsonObject], Labeller]


class UnknownModel(Fatal):
    """No labeller is called so."""


def labeller_of(name: str, options: JsonObject, store: Store) -> Labeller:
    """The labeller of a name; `options` are passed to what builds it. Raises UnknownModel, MissingExtra.

    `vader` is the lexicon, `trained:NAME@VERSION` a model of the store, any other word an entry point of GROUP, and
    `module:attribute` is imported. The last two are called with the options and return a labeller.
    """
    if match := _STORED.fullmatch(name):
        return _stored(match["name"], match["version"], store)
    labeller = _builder(name)(options)
    for attribute in ("model", "version", "label"):
        if not getattr(labeller, attribute, None):
            raise UnknownModel(f"what {name} returns is no labeller: it has no {attribute}")
    return labeller


def _stored(name: str, version: str, store: Store) -> Labeller:
    from postrank.labels.models.classifier import TrainedLabeller, load

    files = stored_files(store, name, version)
    languages = json.loads(files.get(METRICS, b"{}")).get("languages")
    return TrainedLabeller(name, version, load(files[MODEL]), frozenset(languages) if languages else None)


def _builder(name: str) -> Build:
    if address := _BUILT_IN.get(name):
        return _imported(address)
    registered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if entry := registered.get(name):
        return _imported(entry.value)
    if _ATTRIBUTE.fullmatch(name):
        return _imported(name)
    names = [*_BUILT_IN, *registered]
    raise UnknownModel(
        f"there is no model {name!r}{nearest(name, names)}; known: {', '.join(names)}, trained:NAME@VERSION, "
        "module:attribute"
    )


def _imported(address: str) -> Build:
    module, _, attribute = address.partition(":")
    try:
        builder: object = import_module(module)
        for part in attribute.split("."):
            builder = getattr(builder, part)
    except ModuleNotFoundError as error:
        if missing := missing_extra(error):
            raise missing from error
        raise UnknownModel(f"{address} cannot be imported: {error}") from error
    except AttributeError as error:
        raise UnknownModel(f"{address} cannot be imported: {error}") from error
    if not callable(builder):
        raise UnknownModel(f"{address} is not callable: it must take the options and return a labeller")
    return cast("Build", builder)
