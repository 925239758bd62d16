"""What bounds a run: how much it does, and the lease under which it does it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many posts one run labels at most and for how long, and how many posts a batch has."""

    posts: int = 100_000
    seconds: float = 300.0
    batch: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLimits:
    """What is stored of a day, and how much one run counts. A day that was begun is finished."""

    least_posts: int = 2  # that hold a word
    most_words: int = 5000  # per day and language, the most frequent ones
    posts: int = 500_000  # per run
    seconds: float = 300.0  # per run


class Turn(Protocol):
    """The lease of the labels (`postrank.ranking.lease`): while it is held, no redaction moves the posts being read."""

    def held(self) -> AbstractContextManager[None]: ...

    def require(self) -> int: ...
