"""Numbers for authors, so that counts of a million authors are arrays of integers and not dictionaries of texts.

An author's network, id and newest handle are kept as one line of JSON in a common buffer and found by a hash table made
of arrays: about 55 bytes an author, a quarter of what strings and dictionaries take. The authors that were asked for
lately are found by a dictionary, in bulk.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeAlias, cast

import orjson

from postrank.documents import Document

Numbers: TypeAlias = "array[int]"
Author: TypeAlias = tuple[str, str, str | None]  # network, author_id, handle
_HOT = 1 << 16  # authors in the dictionary; it begins anew when it is full
_BUCKETS = 1 << 14  # at first; a power of two
_NONE = -1


class Authors:
    """Every author has a number, in the order of their first coming, until `keep` numbers them anew."""

    def __init__(self) -> None:
        self._text = bytearray()  # lines `["network","author_id","handle"]`; one whose handle changed is written again
        self._starts = array("Q")  # by number: where the newest line begins
        self._hashes = array("I")
        self._next = array("i")  # by number: the next one in the same bucket
        self._heads = array("i", [_NONE]) * _BUCKETS  # by bucket: the first number
        self._hot: dict[Author, int] = {}
        self._exported_text = 0  # `changes` has exported the text up to here
        self._retained: Numbers | None = None  # the numbers then, since `changes`
        self.rewritten = 0  # lines that are of no use any more, until `keep`

    def __len__(self) -> int:
        return len(self._starts)

    def numbers(self, authors: Sequence[Author]) -> list[int]:
        """The numbers of some authors; new ones get a number, and an author's handle is the one given last."""
        numbers = list(map(self._hot.get, authors))
        if None in numbers:
            number_of = self._number
            return [number_of(author) if n is None else n for author, n in zip(authors, numbers, strict=True)]
        return cast(list[int], numbers)  # none of them is None

    def line(self, number: int) -> bytes:
        """The author as JSON: an array of network, id and handle."""
        start = self._starts[number]
        return bytes(self._text[start : self._text.index(b"\n", start)])

    def author(self, number: int) -> Author:
        network, author_id, handle = orjson.loads(self.line(number))
        return network, author_id, handle

    def keep(self, numbers: Iterable[int]) -> Numbers:
        """Forget all others and number these, which ascend, anew; returns the new numbers by old ones."""
        retained = array("i", numbers)
        fresh = Authors()
        renumbered = array("i", [_NONE]) * len(self)
        for number in retained:
            renumbered[number] = fresh._append(self.line(number), self._hashes[number])
        fresh._hot = {author: renumbered[number] for author, number in self._hot.items() if renumbered[number] != _NONE}
        fresh._exported_text = len(fresh._text)
        fresh._retained = retained
        self.__dict__ = fresh.__dict__
        return renumbered

    def changes(self) -> Document:
        """What `restore` needs to come to the same numbers, since the last call or `snapshot`.

        Is to be asked for before `keep`, so that what that forgets was told before.
        """
        return self._changes(bytes(self._text[self._exported_text :]))

    def snapshot(self) -> Document:
        """All of it, as `restore` takes it."""
        self._retained = None
        return self._changes(b"".join(b"%b\n" % self.line(number) for number in range(len(self))))

    def restore(self, state: Document) -> None:
        """Take over `changes`; if they say what was `kept`, then after that."""
        for author in chain(state["new"], state.get("renamed", ())):  # earlier versions told these apart
            self._number(tuple(author))
        self._exported_text = len(self._text)
        self._retained = None

    def _changes(self, lines: bytes) -> Document:
        retained = None if self._retained is None else self._retained.tolist()
        self._exported_text = len(self._text)
        self._retained = None
        # Lines were not kept one by one: what orjson gives holds a kilobyte each, and takes microseconds to keep.
        return {"kept": retained, "new": orjson.Fragment(b"[%b]" % lines[:-1].replace(b"\n", b","))}

    def _number(self, author: Author) -> int:
        line = orjson.dumps(author)
        hashed = hash(author[:2]) & 0xFFFFFFFF
        number = self._heads[hashed & (len(self._heads) - 1)]
        while number != _NONE:
            if self._hashes[number] == hashed:
                if self._text.startswith(line, self._starts[number]):
                    break
                # The name ends with a quotation mark, so that it is the beginning of no other author's line.
                if self._text.startswith(orjson.dumps(author[:2])[:-1], self._starts[number]):
                    self._rename(number, line)
                    break
            number = self._next[number]
        else:
            number = self._append(line, hashed)
        if len(self._hot) >= _HOT:
            self._hot.clear()
        self._hot[author] = number
        return number

    def _rename(self, number: int, line: bytes) -> None:
        self._hot.pop(self.author(number), None)  # else the handle before would be taken for the newest
        self._starts[number] = len(self._text)
        self._text += b"%b\n" % line
        self.rewritten += 1

    def _append(self, line: bytes, hashed: int) -> int:
        number = len(self._starts)
        if number == len(self._heads):
            self._spread(2 * number)
        self._starts.append(len(self._text))
        self._text += b"%b\n" % line
        self._hashes.append(hashed)
        heads = self._heads
        bucket = hashed & (len(self._heads) - 1)
        self._next.append(heads[bucket])
        heads[bucket] = number
        return number

    def _spread(self, buckets: int) -> None:
        self._heads = array("i", [_NONE]) * buckets
        for number, hashed in enumerate(self._hashes):
            bucket = hashed & (buckets - 1)
            self._next[number] = self._heads[bucket]
            self._heads[bucket] = number
