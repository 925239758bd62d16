"""The streamer's configuration in a run: the file that was named, if any, with what a laptop decides itself."""

from postrank.aws.resources import MAIN
from postrank.collectors.configuration import KEY, Collector
from postrank.documents import Document
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
        "state": str(layout.collector(options.collector) / "state"),
        "source": _merged(document.get("source", {}), source),
        "heartbeat": _merged({"seconds": _HEARTBEAT_SECONDS}, document.get("heartbeat", {})),
    }


def described(options: Options, layout: Layout) -> Collector:
    """The same as a collector of its name. Raises NoConfig, NoSuchInput."""
    name = options.collector
    where = "" if name == MAIN else f"{KEY}.{name}"
    return Collector(name=name, table=configuration(options, layout), where=where)


def _merged(base: object, more: object) -> object:
    if not isinstance(base, dict):
        return base
    return {**base, **more} if isinstance(more, dict) else more
