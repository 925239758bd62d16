"""Quoted text as OpenCSVSerDe reads it ("Open CSV SerDe for processing CSV"): each line by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from localaws.services.athena.scan.formats import Files
from localaws.services.athena.scan.formats.text_values import shortened, value
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.hive_types import HiveType

SERDES = ("org.apache.hadoop.hive.serde2.OpenCSVSerde",)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OpenCsv:
    """How one table's lines become rows."""

    columns: Sequence[HiveType]
    separator: str = ","
    quote: str = '"'
    escape: str = "\\"

    @classmethod
    def of(cls, files: Files) -> "OpenCsv":
        properties = files.properties
        return cls(
            list(files.columns.values()),
            properties.get("separatorChar", ",")[:1],
            properties.get("quoteChar", '"')[:1],
            properties.get("escapeChar", "\\")[:1],
        )

    def rows(self, lines: Iterable[str], source: str) -> Iterable[list[object]]:
        """A row for each line. Raises QueryFailed HIVE_BAD_DATA."""
        for number, line in enumerate(lines, start=1):
            parts: list[str | None] = [*self.fields(line)] if line else []
            parts += [None] * (len(self.columns) - len(parts))
            try:
                yield [_value(part, kind) for part, kind in zip(parts, self.columns, strict=False)]
            except ValueError as error:
                raise QueryFailed("HIVE_BAD_DATA", f"Error Parsing Row for {source}, line {number}: {error}") from error

    def fields(self, line: str) -> list[str]:
        """The fields of a line. One whose quotes do not close is none."""
        fields: list[str] = []
        part = ""
        is_quoted = False
        is_within = False  # a field, in the reader's own sense: after each quote it is the other way round
        at = 0
        while at < len(line):
            sign = line[at]
            following = line[at + 1 : at + 2]
            if sign == self.escape and sign != self.quote:
                if (is_quoted or is_within) and following and following in (self.quote, self.escape):
                    part += following
                    at += 1
            elif sign == self.quote:
                if (is_quoted or is_within) and following == self.quote:
                    part += following
                    at += 1
                else:
                    part = self._at_quote(line, at, part)
                    is_quoted = not is_quoted
                is_within = not is_within
            elif sign == self.separator and not is_quoted:
                fields.append(part)
                part = ""
                is_within = False
            else:
                part += sign
                is_within = True
            at += 1
        return fields if is_quoted else [*fields, part]

    def _at_quote(self, line: str, at: int, part: str) -> str:
        """A quote within a field stays, blanks before one that opens a field go."""
        if at > 2 and line[at - 1] != self.separator and len(line) > at + 1 and line[at + 1] != self.separator:
            return "" if part and not part.strip() else part + self.quote
        return part


def _value(text: str | None, kind: HiveType) -> object:
    """Raises ValueError for text that is no value of the type; a missing number is null."""
    if text is None or kind.name in ("string", "varchar", "char"):
        return None if text is None else shortened(text, kind)
    if not text.strip():
        return None
    if kind.name == "date":
        return date(1970, 1, 1) + timedelta(days=int(text))  # days since 1970
    if kind.name == "timestamp":
        return (_EPOCH + timedelta(milliseconds=int(text))).replace(tzinfo=None)
    built = value(text, kind)
    if built is None:
        raise ValueError(f"{text!r} is no {kind.name}")
    return built
