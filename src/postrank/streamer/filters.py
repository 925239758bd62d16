"""Which events are sent on: by keywords, handles, languages, types. Files are read again when they change."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from postrank.options import Options
from postrank.posts import Event, Post

log = logging.getLogger(__name__)
TYPES = ("original", "reply", "repost", "quote")
_Stamps = Mapping[Path, tuple[int, int]]


class _Read(NamedTuple):
    """What the files and options say: replaced as a whole, since another thread asks meanwhile."""

    handles: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None


@dataclass(slots=True)
class Filters:
    """No condition lets everything pass.

    Else a post must meet each kind of condition that is set; tombstones always pass.
    """

    keywords: list[str] = field(default_factory=list)
    languages: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()  # of TYPES
    handles_file: Path | None = None
    keywords_file: Path | None = None
    _read: _Read = field(default_factory=_Read)
    _stamps: _Stamps = field(default_factory=dict)  # of the files as they were taken over
    _seen: _Stamps = field(default_factory=dict)  # at the last look

    @classmethod
    def build(cls, options: Options) -> Self:
        """`keywords`, `languages`, `types` (lists), `keywords_file` and `handles_file` (one a line, `#` begins a
        comment).
        """
        found = cls(
            keywords=options.texts("keywords", []),
            languages=frozenset(one.casefold() for one in options.texts("languages", [])),
            types=frozenset(options.texts("types", [])),
            handles_file=options.path("handles_file") if options.optional("handles_file") else None,
            keywords_file=options.path("keywords_file") if options.optional("keywords_file") else None,
        )
        if unknown := found.types - set(TYPES):
            options.wrong("types", f"must be some of {', '.join(TYPES)}, not {', '.join(sorted(unknown))}")
        for key, path in (("handles_file", found.handles_file), ("keywords_file", found.keywords_file)):
            if path is not None and (why := _unusable(path)):
                options.wrong(key, f"names {path}, which {why}")
        if not options.problems:
            found._take_over(found._look())
        return found

    @property
    def open(self) -> bool:
        """Whether there is no condition at all."""
        return self._read == _Read() and not self.languages and not self.types

    def wants(self, event: Event) -> bool:
        """Whether the event is to be sent on."""
        if type(event) is not Post:
            return True
        handles, pattern = self._read
        if handles is not None and (event.author_handle or "").casefold() not in handles:
            return False
        if self.types and self.types.isdisjoint(_types(event)):
            return False
        if self.languages and (event.lang or "").casefold() not in self.languages:
            return False
        return pattern is None or pattern.search((event.text or "").casefold()) is not None

    def refresh(self) -> bool:
        """Read the files again if they changed, and did not change since the last look: nobody is writing them.

        Whether they were taken over. A file that cannot be read, or holds nothing, leaves what was read before.
        """
        try:
            stamps = self._look()
            settled, self._seen = stamps == self._seen, stamps
            if not settled or stamps == self._stamps:
                return False
            for path in self._files():
                if why := _unusable(path):
                    raise ValueError(f"{path} {why}")
            self._take_over(stamps)
        except (OSError, ValueError) as error:
            log.warning("filters not read again", extra={"fields": {"why": str(error)}})
            return False
        return True

    def _files(self) -> list[Path]:
        return [path for path in (self.handles_file, self.keywords_file) if path is not None]

    def _look(self) -> _Stamps:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in self._files()}

    def _take_over(self, stamps: _Stamps) -> None:
        handles = None
        if self.handles_file:
            handles = frozenset(one.lstrip("@").casefold() for one in _entries(self.handles_file))
        keywords = [*self.keywords, *(_entries(self.keywords_file) if self.keywords_file else ())]
        self._read = _Read(handles, _pattern(keywords) if keywords else None)
        self._stamps = self._seen = stamps


def _unusable(path: Path) -> str:
    """Why a file of entries cannot be taken over; "" if it can."""
    try:
        return "" if _entries(path) else "holds nothing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return "is not UTF-8"


def _types(post: Post) -> list[str]:
    """What a post is: one that replies and quotes is both."""
    references = {"reply": post.reply_to, "repost": post.repost_of, "quote": post.quote_of}
    return [name for name, of in references.items() if of] or ["original"]


def _entries(path: Path) -> list[str]:
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _pattern(keywords: list[str]) -> re.Pattern[str]:
    """Any of the keywords, as whole words, case-folded."""
    words = "|".join(re.escape(word.casefold()) for word in sorted(keywords, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")
