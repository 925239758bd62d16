"""Lines of text as the SerDes read them: delimited, quoted, or matched by a pattern."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from localaws.services.athena.scan.formats import Files, converted, delimited, line_patterns, open_csv
from localaws.services.athena.sql.failures import QueryFailed

LAZY = delimited.SERDES[0]
SERDES = (*delimited.SERDES, *open_csv.SERDES, *line_patterns.SERDES)


class Decoding(Protocol):
    """How lines become rows."""

    def rows(self, lines: Iterable[str], source: str) -> Iterable[list[object]]: ...


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index."""
    decoding = _decoding(files)
    header = _count(files, "skip.header.line.count")
    footer = _count(files, "skip.footer.line.count")

    def decode(lines: Iterable[str], source: str) -> Iterable[list[object]]:
        return decoding.rows(_between(lines, header, footer), source)

    return converted.relation(files, decode)


def _decoding(files: Files) -> Decoding:
    library = files.serde.get("SerializationLibrary")
    if library in open_csv.SERDES:
        return open_csv.OpenCsv.of(files)
    if library in line_patterns.SERDES:
        return line_patterns.Matched.of(files)
    return delimited.Delimited.of(files)


def _count(files: Files, name: str) -> int:
    text = files.parameters.get(name) or files.properties.get(name) or "0"
    if not text.isdigit():
        raise QueryFailed("HIVE_INVALID_METADATA", f"Invalid value for {name} property: {text}")
    return int(text)


def _between(lines: Iterable[str], header: int, footer: int) -> Iterator[str]:
    """The lines of an object without its first and last ones."""
    ahead: deque[str] = deque()
    for line in islice(lines, header, None):
        ahead.append(line)
        if len(ahead) > footer:
            yield ahead.popleft()
