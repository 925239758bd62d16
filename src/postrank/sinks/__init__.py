"""Where lines go: one protocol, and one module for each kind of sink."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from postrank.errors import Retryable

POSTS = "posts"
WINDOWS = "author_windows"  # the two streams, as the description of resources calls them


@dataclass(slots=True, frozen=True)
class Record:
    """Newline JSON (gzipped or not) that travels as one: what Kinesis calls a record."""

    stream: str  # POSTS or WINDOWS
    key: str  # partition key
    data: bytes
    lines: int


class Unavailable(Retryable):
    """The sink did not take some records within its patience; `left` are those, in order. All others are durable."""

    def __init__(self, why: str, left: Sequence[Record]) -> None:
        super().__init__(f"{len(left)} records were not taken: {why}")
        self.why = why
        self.left = left


class Sink(Protocol):
    """Takes records and returns when all of them are durable. Called from several threads at once."""

    def put(self, records: Sequence[Record]) -> None:
        """Make the records durable. Raises Unavailable with what is left; Fatal for what no retry can mend."""
        ...

    def gauges(self) -> Mapping[str, float]:
        """Figures by metric name: what was refused, resent, ..."""
        ...

    def hurry(self) -> None:
        """Wait for nothing any more: what is not taken at once is left."""
        ...

    def close(self) -> None:
        """Finish what is open."""
        ...
