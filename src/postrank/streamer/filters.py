"""Which events are sent on: keywords, handles, languages; read again while running when their file changes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from postrank.options import Options
from postrank.posts import Event, Post


@dataclass(slots=True)
class Filters:
    """No condition lets everything pass.

    Else a post must meet each kind of condition that is set; tombstones always pass.
    """

    keywords: list[str] = field(default_factory=list)
    languages: frozenset[str] = frozenset()
    handles_file: Path | None = None
    keywords_file: Path | None = None
    _handles: frozenset[str] | None = None
    _pattern: re.Pattern[str] | None = None
    _stamps: Mapping[Path, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def build(cls, options: Options) -> Self:
        """`keywords` and `languages` (lists), `keywords_file` and `handles_file` (one a line, `#` begins a comment)."""
        found = cls(
            keywords=options.texts("keywords", []),
            languages=frozenset(one.casefold() for one in options.texts("languages", [])),
            handles_file=options.path("handles_file") if options.optional("handles_file") else None,
            keywords_file=options.path("keywords_file") if options.optional("keywords_file") else None,
        )
        for key, path in (("handles_file", found.handles_file), ("keywords_file", found.keywords_file)):
            if path is not None and not path.is_file():
                options.wrong(key, f"names {path}, which is no file")
        if not options.problems:
            found.refresh()
        return found

    @property
    def open(self) -> bool:
        """Whether there is no condition at all."""
        return self._handles is None and self._pattern is None and not self.languages

    def wants(self, event: Event) -> bool:
        """Whether the event is to be sent on."""
        if type(event) is not Post:
            return True
        if self._handles is not None and (event.author_handle or "").casefold() not in self._handles:
            return False
        if self.languages and (event.lang or "").casefold() not in self.languages:
            return False
        return self._pattern is None or self._pattern.search((event.text or "").casefold()) is not None

    def refresh(self) -> bool:
        """Read the files again if they changed.

        Whether they did. A file that cannot be read leaves what was read before.
        """
        files = [path for path in (self.handles_file, self.keywords_file) if path is not None]
        try:
            stamps = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files}
            if stamps == self._stamps and (self._pattern or self._handles or not (files or self.keywords)):
                return False
            handles = _entries(self.handles_file) if self.handles_file else None
            keywords = [*self.keywords, *(_entries(self.keywords_file) if self.keywords_file else ())]
        except OSError:
            return False
        self._handles = None if handles is None else frozenset(one.lstrip("@").casefold() for one in handles)
        self._pattern = _pattern(keywords) if keywords else None
        self._stamps = stamps
        return True


def _entries(path: Path) -> list[str]:
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _pattern(keywords: list[str]) -> re.Pattern[str]:
    """Any of the keywords, as whole words, case-folded."""
    words = "|".join(re.escape(word.casefold()) for word in sorted(keywords, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")
