"""Reading Bluesky through Jetstream: public websockets, no account."""

from postrank.sources.bluesky.stream import Jetstream

__all__ = ["Jetstream"]
