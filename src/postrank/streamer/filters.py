"""Which events are sent on: by keywords, handles, languages, types. Files are read again when they change."""

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from postrank.options import Options
from postrank.posts import Event, Post
from postrank.sources.entries import Watch, entries, unusable

log = logging.getLogger(__name__)
TYPES = ("original", "reply", "repost", "quote")


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
    _watch: Watch | None = None

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
            if path is not None and (why := unusable(path)):
                options.wrong(key, f"names {path}, which {why}")
        if not options.problems:
            found._watch = Watch([path for path in (found.handles_file, found.keywords_file) if path is not None])
            found._take_over()
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
        """Read the files again when they were written; whether they were.

        A file that cannot be read, or holds nothing, leaves what was read before.
        """
        try:
            if not self._watch or not self._watch.changed():
                return False
            self._take_over()
        except (OSError, ValueError) as error:
            log.warning("filters not read again", extra={"fields": {"why": str(error)}})
            return False
        return True

    def _take_over(self) -> None:
        handles = None
        if self.handles_file:
            handles = frozenset(one.lstrip("@").casefold() for one in entries(self.handles_file))
        keywords = [*self.keywords, *(entries(self.keywords_file) if self.keywords_file else ())]
        self._read = _Read(handles, _pattern(keywords) if keywords else None)


def _types(post: Post) -> list[str]:
    """What a post is: one that replies and quotes is both."""
    references = {"reply": post.reply_to, "repost": post.repost_of, "quote": post.quote_of}
    return [name for name, of in references.items() if of] or ["original"]


def _pattern(keywords: list[str]) -> re.Pattern[str]:
    """Any of the keywords, as whole words, case-folded."""
    words = "|".join(re.escape(word.casefold()) for word in sorted(keywords, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")
