"""Lines matched by a regular expression, as RegexSerDe and GrokSerDe read them ("Regex SerDe", "Grok SerDe")."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.services.athena.scan.formats import Files
from localaws.services.athena.scan.formats.grok_patterns import PATTERNS
from localaws.services.athena.scan.formats.text_values import value
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.python import regexes
from localaws.services.athena.sql.trino.hive_types import HiveType

if TYPE_CHECKING:
    import regex

REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
GROK = "com.amazonaws.glue.serde.GrokSerDe"
SERDES = (REGEX, "org.apache.hadoop.hive.contrib.serde2.RegexSerDe", GROK)
_REFERENCE = re.compile(r"%\{(\w+)(?::([\w.-]+))?(?::\w+)?\}")
_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Matched:
    """How one table's lines become rows: the groups of a match by place, or by name; a line without one is all null."""

    columns: Mapping[str, HiveType]
    pattern: "regex.Pattern"
    groups: Sequence[int]
    whole: bool = True

    @classmethod
    def of(cls, files: Files) -> "Matched":
        """Raises QueryFailed HIVE_INVALID_METADATA, INVALID_TABLE_PROPERTY."""
        if files.serde.get("SerializationLibrary") == GROK:
            return cls._of_grok(files)
        written = files.properties.get("input.regex")
        if not written:
            raise QueryFailed("INVALID_TABLE_PROPERTY", "The table lacks the SerDe property input.regex")
        fold = files.properties.get("input.regex.case.insensitive", "").lower() == "true"
        pattern = _compiled(f"(?i){written}" if fold else written)
        if pattern.groups < len(files.columns):
            raise QueryFailed(
                "HIVE_INVALID_METADATA",
                f"Number of matching groups ({pattern.groups}) doesn't match the number of columns"
                f" ({len(files.columns)})",
            )
        return cls(files.columns, pattern, range(1, len(files.columns) + 1))

    @classmethod
    def _of_grok(cls, files: Files) -> "Matched":
        written = files.properties.get("input.format")
        if not written:
            raise QueryFailed("INVALID_TABLE_PROPERTY", "The table lacks the SerDe property input.format")
        own = dict(
            line.split(maxsplit=1)
            for line in files.properties.get("input.grokCustomPatterns", "").replace("\\n", "\n").splitlines()
            if len(line.split(maxsplit=1)) == 2
        )
        pattern = _compiled(_expanded(written, {**PATTERNS, **own}))
        names = [_group(name) for name in files.columns]
        by_name = {name.lower(): number for name, number in pattern.groupindex.items()}
        by_place = dict(zip(names, sorted(pattern.groupindex.values()), strict=False))
        groups = [by_name.get(name) or by_place.get(name) or 0 for name in names]
        return cls(files.columns, pattern, groups, whole=False)

    def rows(self, lines: Iterable[str], _: str) -> Iterable[list[object]]:
        kinds = list(self.columns.values())
        for line in lines:
            match = self.pattern.fullmatch(line) if self.whole else self.pattern.search(line)
            texts = [match[group] if group else None for group in self.groups] if match else [None] * len(kinds)
            yield [None if text is None else value(text, kind) for text, kind in zip(texts, kinds, strict=True)]


def _compiled(pattern: str) -> "regex.Pattern":
    try:
        return regexes.compiled(pattern)
    except ValueError as error:
        raise QueryFailed("INVALID_TABLE_PROPERTY", f"The table's pattern cannot be read: {error}") from error


def _group(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _expanded(pattern: str, patterns: Mapping[str, str]) -> str:
    """A grok pattern with each %{NAME:column} as a named group."""
    named: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in patterns:
            raise QueryFailed("INVALID_TABLE_PROPERTY", f"No grok pattern is named {match[1]}")
        inner = f"(?:{patterns[match[1]]})"
        column = _group(match[2]) if match[2] else ""
        if not column or column in named:
            return inner
        named.add(column)
        return f"(?<{column}>{inner})"

    for _ in range(_DEPTH):
        expanded = _REFERENCE.sub(replaced, pattern)
        if expanded == pattern:
            return expanded
        pattern = expanded
    raise QueryFailed("INVALID_TABLE_PROPERTY", "The grok patterns refer to each other without end")
