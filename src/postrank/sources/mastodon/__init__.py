"""Reading any number of Mastodon instances."""

from postrank.sources.mastodon.stream import Mastodon

__all__ = ["Mastodon"]
