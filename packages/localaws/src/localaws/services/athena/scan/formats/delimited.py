"""Delimited text as LazySimpleSerDe reads it ("LazySimpleSerDe for CSV, TSV, and custom-delimited files")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from localaws.services.athena.scan.formats import Files
from localaws.services.athena.scan.formats.text_values import value
from localaws.services.athena.sql.trino.hive_types import HiveType

SERDES = ("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",)
_LEVELS = "\x01\x02\x03\x04\x05\x06\x07\x08"  # what parts fields, their elements, keys from values, ... by depth
_NAMES = (("field.delim", "serialization.format"), ("collection.delim", "colelction.delim"), ("mapkey.delim",))


@dataclass(frozen=True, slots=True)
class Delimited:
    """How one table's lines become rows. `separators` are by depth."""

    columns: Sequence[HiveType]
    separators: Sequence[str]
    escape: str = ""
    null: str = "\\N"
    last_takes_rest: bool = False

    @classmethod
    def of(cls, files: Files) -> "Delimited":
        properties = files.properties
        marks = list(_LEVELS)
        for level, names in enumerate(_NAMES):
            marks[level] = next((_mark(properties[name]) for name in names if properties.get(name)), marks[level])
        return cls(
            list(files.columns.values()),
            marks,
            _mark(properties.get("escape.delim", "")),
            properties.get("serialization.null.format", "\\N"),
            properties.get("serialization.last.column.takes.rest", "").lower() == "true",
        )

    def rows(self, lines: Iterable[str], _: str) -> Iterable[list[object]]:
        for line in lines:
            yield self.row(line)

    def row(self, line: str) -> list[object]:
        limit = len(self.columns) if self.last_takes_rest else 0
        parts = self._split(line, self.separators[0], limit)
        parts += [None] * (len(self.columns) - len(parts))
        return [self._value(part, kind, 1) for part, kind in zip(parts, self.columns, strict=False)]

    def _split(self, text: str, mark: str, limit: int = 0) -> list[str | None]:
        """The parts of a text between marks that no escape precedes; the escapes stay."""
        if not self.escape or self.escape not in text:
            return list(text.split(mark, limit - 1) if limit else text.split(mark))
        parts: list[str | None] = []
        start = 0
        at = 0
        while at < len(text):
            if text[at] == self.escape:
                at += 1
            elif text[at] == mark and not (limit and len(parts) == limit - 1):
                parts.append(text[start:at])
                start = at + 1
            at += 1
        return [*parts, text[start:]]

    def _value(self, text: str | None, kind: HiveType, level: int) -> object:
        if text is None or text == self.null:
            return None
        match kind.name:
            case "array":
                parts = self._split(text, self.separators[level]) if text else []
                return [self._value(part, kind.children[0], level + 1) for part in parts]
            case "map":
                return self._map(text, kind, level)
            case "struct":
                parts = self._split(text, self.separators[level])
                parts += [None] * (len(kind.children) - len(parts))
                values = [
                    self._value(part, child, level + 1) for part, child in zip(parts, kind.children, strict=False)
                ]
                return dict(zip(kind.fields, values, strict=True))
        return value(self._unescaped(text), kind)

    def _map(self, text: str, kind: HiveType, level: int) -> list[tuple[object, object]]:
        entries: dict[object, object] = {}
        for part in self._split(text, self.separators[level]) if text else []:
            key, *item = self._split(part or "", self.separators[level + 1], 2)
            name = self._value(key, kind.children[0], level + 2)
            if name is not None and name not in entries:
                entries[name] = self._value(item[0] if item else None, kind.children[1], level + 2)
        return list(entries.items())

    def _unescaped(self, text: str) -> str:
        if not self.escape or self.escape not in text:
            return text
        signs = iter(text)
        return "".join(next(signs, sign) if sign == self.escape else sign for sign in signs)


def _mark(text: str) -> str:
    """A separator as a table's properties spell it: itself, or the number of its character."""
    if text.isdigit() and len(text) <= 3 and int(text) < 128 and (len(text) > 1 or int(text) < 10):
        return chr(int(text))
    return text[:1]
