"""What a file is and what a ranking of it would hold, found out on this machine alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.posts import Event, Like, Log, Metrics, Reject, Tombstone
from postrank.posts.field_counts import add_fields
from postrank.posts.times import from_milliseconds, milliseconds
from postrank.sources.files.file_reader import FileReader
from postrank.sources.files.line_batches import LineBatch

TOP = 100  # authors
_REASONS = 20
_EXAMPLES = 3
_OTHER = "other reasons"
_TIME_BITS = 50  # of milliseconds, counted from the year 1
_FIRST_MS = 62_135_596_800_000  # between the year 1 and 1970


class NotRankable(Fatal):
    """Nothing in a file can be ranked; the message says what the file is, why, and what to do."""


class Ranking:
    """Counts posts as the lake would: a post once, whatever versions it has; deleted ones not at all."""

    def __init__(self) -> None:
        self._authors: dict[tuple[str, str], int] = {}
        self._posts: dict[int, int] = {}  # hash of network and post id: author and time, packed
        self._first_of: dict[int, int] = {}  # hash of a version's id: that of the first version
        self._deleted: set[int] = set()
        self._left: dict[tuple[str, str], int | None] = {}  # authors who left: until when their posts are gone

    def add(self, event: Event) -> None:
        """Take an event in, in whatever order."""
        if isinstance(event, Tombstone):
            self._delete(event)
            return
        if isinstance(event, Like | Metrics | Log):
            return
        key = hash((event.network, event.post_id))
        author = self._authors.setdefault((event.network, event.author_id), len(self._authors))
        if event.kind == "edit" or key not in self._posts:
            self._posts[key] = author << _TIME_BITS | (milliseconds(event.posted_at) + _FIRST_MS)
        for version in event.versions or ():
            self._first_of[hash((event.network, version))] = key

    def _delete(self, tombstone: Tombstone) -> None:
        author = tombstone.author_id
        if author is None or tombstone.post_id != f"author:{author}":
            self._deleted.add(hash((tombstone.network, tombstone.post_id)))
            return
        until = None if tombstone.posted_at is None else milliseconds(tombstone.posted_at)
        earlier = self._left.get((tombstone.network, author), -_FIRST_MS)
        self._left[tombstone.network, author] = None if until is None or earlier is None else max(until, earlier)

    def counts(self) -> tuple[Counter[tuple[str, str]], int | None, int | None]:
        """Posts by network and author, and the first and the last moment of a post in milliseconds since 1970."""
        deleted = {self._first_of.get(key, key) for key in self._deleted} | self._deleted
        names = list(self._authors)
        left = {self._authors[name]: until for name, until in self._left.items() if name in self._authors}
        counts: Counter[tuple[str, str]] = Counter()
        first: int | None = None
        last: int | None = None
        for key, packed in self._posts.items():
            author = packed >> _TIME_BITS
            moment = (packed & ((1 << _TIME_BITS) - 1)) - _FIRST_MS
            if key in deleted or self._first_of.get(key, key) != key:
                continue
            if author in left and ((until := left[author]) is None or moment <= until):
                continue
            counts[names[author]] += 1
            first = moment if first is None else min(first, moment)
            last = moment if last is None else max(last, moment)
        return counts, first, last


@dataclass(slots=True)
class Report:
    """What was found in a file."""

    form: str = ""
    container: str = ""
    encoding: str = ""
    posts: int = 0
    authors: int = 0
    first: str | None = None
    last: str | None = None
    rejects: int = 0
    at_least: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[Reject] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    unknown_fields: dict[str, int] = field(default_factory=dict)  # by `<form>.<name>`
    top: list[tuple[str, str, int]] = field(default_factory=list)
    why: str = ""  # why nothing can be ranked

    def as_json(self) -> Document:
        """The report as `postrank inspect --json` prints it."""
        rejects = {"count": self.rejects, "at_least": self.at_least, "reasons": dict(self.reasons.most_common())}
        return {
            "form": self.form,
            "container": self.container,
            "encoding": self.encoding,
            "posts": self.posts,
            "authors": self.authors,
            "first": self.first,
            "last": self.last,
            "rejects": rejects,
            "repaired": self.repaired,
            "unknown_fields": dict(self.unknown_fields),
            "top": [list(row) for row in self.top],
        }

    def note(self, reject: Reject) -> None:
        """Count a reject by its reason."""
        self.rejects += reject.posts
        self.at_least = self.at_least or reject.at_least
        reason = reject.reason if reject.reason in self.reasons or len(self.reasons) < _REASONS else _OTHER
        self.reasons[reason] += reject.posts
        if len(self.examples) < _EXAMPLES:
            self.examples.append(reject)


def inspect(path: Path, mapping: Mapping[str, str] | None = None, top: int = TOP) -> Report:
    """Read a file to its end. Raises OSError, MissingExtra."""
    report = Report()
    ranking = Ranking()
    lines = LineBatch(where=path.name)
    reader = FileReader(path, lines, mapping=mapping)
    for _ in reader.read():
        _take(lines, report, ranking)
    _take(lines, report, ranking)
    findings = reader.findings
    report.form = "; ".join(findings.forms) or "no form that is read"
    report.container = " > ".join(findings.containers) or "none"
    report.encoding = ", ".join(findings.encodings) or "none"
    counts, first, last = ranking.counts()
    report.posts = counts.total()
    report.authors = len(counts)
    report.first = _instant(first)
    report.last = _instant(last)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    report.top = [(network, author_id, posts) for (network, author_id), posts in ordered[:top]]
    if not report.posts:
        report.why = _why_nothing(path, report, findings.refused)
    return report


def _take(lines: LineBatch, report: Report, ranking: Ranking) -> None:
    batch = lines.take(None)
    for event in batch.events:
        ranking.add(event)
    for reject in batch.rejects:
        report.note(reject)
    report.ignored.update(batch.ignored)
    report.repaired += batch.repaired
    add_fields(report.unknown_fields, batch.unknown_by_name)


def _why_nothing(path: Path, report: Report, refused: list[str]) -> str:
    if refused:
        return f"{path}: {refused[0]}" + (
            f" (and {len(refused) - 1} more such files within it)" if len(refused) > 1 else ""
        )
    if report.rejects:
        reason, count = report.reasons.most_common(1)[0]
        least = "at least " if report.at_least else ""
        return f"{path}: no post can be ranked; {least}{report.rejects:,} rejected, {count:,} of them since: {reason}"
    if report.ignored:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.ignored.most_common(4))
        return f"{path}: no post can be ranked; it holds only {kinds}"
    return f"{path}: no post can be ranked; the file holds none"


def _instant(moment: int | None) -> str | None:
    return None if moment is None else from_milliseconds(moment, "posted_at")
