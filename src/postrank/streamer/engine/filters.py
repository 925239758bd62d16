"""Which events are sent on: by keywords, handles, languages, types; read again while the streamer runs."""

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from postrank.errors import Fatal
from postrank.options import Options
from postrank.posts import Event, Like, Metrics, Post
from postrank.sources.files.value_lists import Watch, entries, unusable

log = logging.getLogger(__name__)
# Scripts that set no blank between words, or hang endings on them: Thai to Myanmar, Khmer, Kana, Han, Hangul.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
TYPES = ("original", "reply", "repost", "quote")


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What the options and their files say: replaced as a whole, since another thread asks meanwhile."""

    handles: frozenset[str] | None = None
    keywords: re.Pattern[str] | None = None
    languages: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()  # of TYPES
    files: tuple[Path, ...] = ()

    @classmethod
    def build(cls, options: Options, *, by_id: bool) -> Self:
        """What is wrong is noted in the options. `by_id`: authors' handles are not known from their first posts on."""
        keywords = options.texts("keywords", [])
        types = frozenset(options.texts("types", []))
        if unknown := types - set(TYPES):
            options.wrong("types", f"must be some of {', '.join(TYPES)}, not {', '.join(sorted(unknown))}")
        handles_file, handles = _listed(options, "handles_file")
        if by_id and (handle := next((candidate for candidate in handles if not candidate.startswith("did:")), None)):
            why = "posts come without their authors' handles at first; write the DIDs (did:plc:...)"
            options.wrong("handles_file", f"holds {handle!r}, but {why}")
        keywords_file, more = _listed(options, "keywords_file")
        words = [*keywords, *more]
        return cls(
            handles=frozenset(candidate.lstrip("@").casefold() for candidate in handles) if handles_file else None,
            keywords=_pattern(words) if words else None,
            languages=frozenset(candidate.casefold() for candidate in options.texts("languages", [])),
            types=types,
            files=tuple(path for path in (handles_file, keywords_file) if path is not None),
        )

    def meets(self, post: Post) -> bool:
        """Whether a post meets each kind of condition that is set."""
        if self.handles is not None and not self._names(post):
            return False
        if self.types and self.types.isdisjoint(_types(post)):
            return False
        if self.languages and not self._speaks(post):
            return False
        return self.keywords is None or self.keywords.search((post.text or "").casefold()) is not None

    def watches(self, author_id: str | None) -> bool:
        """Whether an author is watched, or nobody is in particular."""
        return self.handles is None or (author_id or "").casefold() in self.handles

    def meets_like(self, like: Like) -> bool:
        """Whether a watched author gave the like or received it, where authors are watched; a like says no more."""
        return self.watches(like.author_id) or self.watches(like.like_of_author)

    def _names(self, post: Post) -> bool:
        assert self.handles is not None  # noqa: S101 asked by `meets` alone
        return (post.author_handle or "").casefold() in self.handles or post.author_id.casefold() in self.handles

    def _speaks(self, post: Post) -> bool:
        """`en` means `en-GB` too (RFC 4647, "Basic Filtering")."""
        lang = (post.lang or "").casefold()
        return lang in self.languages or lang.partition("-")[0] in self.languages


@dataclass(slots=True)
class Filters:
    """No condition lets everything pass; tombstones always pass."""

    _again: Callable[[], Options]  # gives the options as they are in the configuration by now
    _configuration: Path | None = None
    _conditions: _Conditions = field(default_factory=_Conditions)
    _by_id: bool = False
    _watch: Watch | None = None
    _taking: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(
        cls,
        options: Options,
        again: Callable[[], Options],
        configuration: Path | None = None,
        *,
        by_id: bool = False,
    ) -> Self:
        """`keywords`, `languages`, `types` (lists), `keywords_file` and `handles_file` (one a line, `# `
        begins a comment; an author's id is as good as the handle). What is wrong is noted in the options.

        `again` gives these options anew, and may raise Fatal, once the file `configuration` was written. `by_id`: with
        handles, posts would be left out whose authors' are not known yet.
        """
        filters = cls(again, configuration, _Conditions.build(options, by_id=by_id), by_id)
        if not options.problems:
            filters._watch = Watch(filters._files())
        return filters

    @property
    def open(self) -> bool:
        """Whether there is no condition at all."""
        return self._conditions == _Conditions()

    def wants(self, event: Event) -> bool:
        """Whether the event is to be sent on."""
        if type(event) is Post:
            return self._conditions.meets(event)
        if type(event) is Like:
            return self._conditions.meets_like(event)
        return type(event) is not Metrics or self._conditions.watches(event.author_id)

    def refresh(self) -> bool:
        """Read files and configuration again when they were written; whether something else holds now.

        What cannot be read, holds nothing or is wrong leaves everything as it was.
        """
        try:
            with self._taking:
                if not self._watch or not self._watch.changed():
                    return False
                return self._take_over()
        except (OSError, ValueError, Fatal) as error:
            log.warning("filters not read again", extra={"fields": {"why": str(error)}})
            return False

    def adopt(self, others: "Filters") -> None:
        """Hold what other filters hold, from the next event on, and watch their files."""
        with self._taking:
            for name in ("_again", "_configuration", "_by_id", "_watch", "_conditions"):
                setattr(self, name, getattr(others, name))

    def _take_over(self) -> bool:
        options = self._again()
        conditions = _Conditions.build(options, by_id=self._by_id)
        options.finish()
        before = self._conditions
        self._conditions = conditions
        if conditions.files != before.files:
            self._watch = Watch(self._files())
        return conditions != before

    def _files(self) -> list[Path]:
        return [*self._conditions.files, *([self._configuration] if self._configuration else [])]


def _listed(options: Options, key: str) -> tuple[Path | None, list[str]]:
    """The file that an option names, if it does, and its entries."""
    if not options.optional(key):
        return None, []
    path = options.path(key)
    if why := unusable(path):
        options.wrong(key, f"names {path}, which {why}")
        return path, []
    return path, entries(path)


def _types(post: Post) -> list[str]:
    """What a post is: one that replies and quotes is both."""
    references = {"reply": post.reply_to, "repost": post.repost_of, "quote": post.quote_of}
    return [name for name, of in references.items() if of] or ["original"]


def _pattern(keywords: list[str]) -> re.Pattern[str]:
    """Any of the keywords, case-folded, as whole words where its script sets words apart."""
    words = "|".join(_bounded(word.casefold()) for word in sorted(keywords, key=len, reverse=True))
    return re.compile(words)


def _bounded(word: str) -> str:
    before = "" if _UNSPACED.match(word[:1]) else r"(?<!\w)"
    after = "" if _UNSPACED.match(word[-1:]) else r"(?!\w)"
    return f"{before}{re.escape(word)}{after}"
