"""Reading X: the filtered stream, and recent search for spans of time that are past."""

from postrank.sources.x.stream import XStream

__all__ = ["XStream"]
