"""Labelled texts from a CSV file, and their division into texts to learn from and texts to judge by."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from postrank.errors import Fatal
from postrank.labels.labeller import primary_subtag
from postrank.suggestions import nearest

CLASSES = ("negative", "neutral", "positive")


class WrongTrainingData(Fatal):
    """A CSV file cannot be learnt from or judged by."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names of a file's columns. Without `author`, texts are divided one by one."""

    text: str
    label: str
    author: str | None = None
    language: str | None = None

    def names(self) -> Iterator[str]:
        """The columns that the file must have."""
        yield from (name for name in (self.text, self.label, self.author, self.language) if name is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Labelled texts: each with its class, its author (itself where authors are unknown) and its language."""

    texts: list[str]
    labels: list[str]
    authors: list[str]
    languages: list[str | None]
    has_authors: bool
    sha256: str  # of the file
    skipped: int = 0  # rows without a text or a label

    def __len__(self) -> int:
        return len(self.texts)

    def counts(self) -> dict[str, int]:
        """How many texts each class has."""
        counts = Counter(self.labels)
        return {label: counts[label] for label in CLASSES}

    def known_languages(self) -> list[str] | None:
        """The languages of the texts; None unless every text states one."""
        languages = {language for language in self.languages if language}
        return sorted(languages) if languages and all(self.languages) else None

    def subset(self, indices: Iterable[int]) -> "Examples":
        """The examples at some places."""
        places = [int(index) for index in indices]
        return Examples(
            texts=[self.texts[place] for place in places],
            labels=[self.labels[place] for place in places],
            authors=[self.authors[place] for place in places],
            languages=[self.languages[place] for place in places],
            has_authors=self.has_authors,
            sha256=self.sha256,
        )


def read_examples(path: Path, columns: Columns, classes: Mapping[str, str], language: str | None = None) -> Examples:
    """The labelled texts of a CSV file with a header, in UTF-8. Raises WrongTrainingData.

    `classes` maps the file's labels to CLASSES; `language` is that of texts whose row names none.
    """
    body = _read(path)
    try:
        reader = csv.DictReader(body.decode("utf-8-sig").splitlines(keepends=True), strict=True)
        _require_columns(path, columns, reader.fieldnames or ())
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise WrongTrainingData(path, f"it is no CSV file in UTF-8: {error}") from error
    complete = [row for row in rows if (row[columns.text] or "").strip() and (row[columns.label] or "").strip()]
    examples = Examples(
        texts=[row[columns.text] for row in complete],
        labels=_classes_of(path, [row[columns.label].strip() for row in complete], classes),
        authors=[(row[columns.author] if columns.author else None) or f"row {n}" for n, row in enumerate(complete)],
        languages=[primary_subtag(row[columns.language] if columns.language else None, language) for row in complete],
        has_authors=columns.author is not None,
        sha256=hashlib.sha256(body).hexdigest(),
        skipped=len(rows) - len(complete),
    )
    if missing := [label for label, count in examples.counts().items() if not count]:
        raise WrongTrainingData(path, f"no row is labelled {' or '.join(missing)}; name the file's labels with --class")
    return examples


def by_author(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """The examples in two parts, the second with about `share` of the authors: no author is in both."""
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
    first, second = next(splitter.split(examples.texts, groups=examples.authors))
    return examples.subset(first), examples.subset(second)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongTrainingData(path, f"it cannot be read: {error.strerror}") from error


def _require_columns(path: Path, columns: Columns, header: Sequence[str]) -> None:
    for name in columns.names():
        if name not in header:
            raise WrongTrainingData(
                path, f"it has no column {name!r}{nearest(name, header)}; its columns: {', '.join(header)}"
            )


def _classes_of(path: Path, labels: Sequence[str], classes: Mapping[str, str]) -> list[str]:
    unknown = sorted({label for label in labels if label not in classes})
    if unknown:
        shown = ", ".join(unknown[:5])
        raise WrongTrainingData(path, f"labels of no class: {shown}; say which class each is with --class LABEL=CLASS")
    return [classes[label] for label in labels]
