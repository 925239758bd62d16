"""Where a past read stands, on disk: a command that was killed continues there when it is given again."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import orjson

from postrank.sources import Cursor
from postrank.sources.net.shared_document import SharedDocument

_PLACES = 200  # requests that are remembered: one that nobody gives again must not stay forever


class Progress(Protocol):
    """What remembers how far a read has come."""

    @property
    def place(self) -> Cursor | None:
        """Where to begin; None: at the beginning."""
        ...

    def delivered(self, cursor: Cursor) -> None:
        """Everything up to a cursor is delivered: it need not be read again. Durable when it returns."""
        ...

    def done(self) -> None:
        """The read has come to its end."""
        ...


class NoProgress:
    """Remembers nothing."""

    place: Cursor | None = None

    def delivered(self, cursor: Cursor) -> None:  # noqa: ARG002 nothing is remembered
        return

    def done(self) -> None:
        return


@dataclass(slots=True)
class ReadingPlace:
    """The place of one request among those of a state folder."""

    path: Path
    request: Sequence[str | None]

    @property
    def place(self) -> Cursor | None:
        """Where to begin; None: at the beginning. Raises KeptDamaged."""
        return self._document().value.get(self._key)

    def delivered(self, cursor: Cursor) -> None:
        """Note the place. Raises KeptDamaged."""
        key = self._key
        self._document().change(
            lambda places: dict([*((name, at) for name, at in places.items() if name != key), (key, cursor)][-_PLACES:])
        )

    def done(self) -> None:
        """Forget the place: the same request begins anew. Raises KeptDamaged."""
        document = self._document()
        if self._key in document.value:
            document.change(lambda places: {name: at for name, at in places.items() if name != self._key})

    @property
    def _key(self) -> str:
        return sha256(orjson.dumps(list(self.request))).hexdigest()[:32]

    def _document(self) -> SharedDocument[dict[str, str]]:
        return SharedDocument(self.path, {})
