"""Which sources there are, by the name that a configuration calls them; each is imported only when it is used."""

from importlib import import_module

from postrank.options import Options
from postrank.sources import Source, Surroundings

# Name in the configuration: (module, class). A class has `build(options, surroundings) -> Source`.
SOURCES = {
    "replay": ("postrank.sources.files.replay", "Replay"),
    "tail": ("postrank.sources.files.tail", "Tail"),
    "kafka": ("postrank.sources.kafka", "KafkaTopic"),
    "x": ("postrank.sources.x", "XStream"),
    "mastodon": ("postrank.sources.mastodon", "Mastodon"),
    "bluesky": ("postrank.sources.bluesky", "Jetstream"),
}


def build(name: str, options: Options, surroundings: Surroundings) -> Source:
    """The source of that name with its own table of options. Raises WrongSettings."""
    module, attribute = SOURCES[name]
    source: Source = getattr(import_module(module), attribute).build(options, surroundings)
    options.finish()
    return source
