"""What labels posts: the protocol that a team's own model fits into, and the check of what a model returns."""

import math
from collections.abc import Sequence
from typing import Protocol

from postrank.errors import Fatal

Label = tuple[str, float]  # the label, and how sure or how strong it is, from 0 to 1
LONGEST_LABEL = 64  # characters


class Labeller(Protocol):
    """A model. `model` and `version` are stored with each label; another version labels every post again."""

    @property
    def model(self) -> str: ...

    @property
    def version(self) -> str: ...

    def label(self, texts: Sequence[str], languages: Sequence[str | None]) -> Sequence[Label | None]:
        """A label for each text, in order; None for a text that the model cannot judge.

        `languages` has a primary language subtag for each text (BCP 47: `en`, `ja`), None where it is unknown. The
        same texts give the same labels.
        """
        ...


class WrongLabels(Fatal):
    """A model returned something that cannot be stored as labels."""

    def __init__(self, labeller: Labeller, reason: str) -> None:
        super().__init__(f"model {labeller.model} {labeller.version}: {reason}")


def checked_labels(
    labeller: Labeller, texts: Sequence[str], languages: Sequence[str | None]
) -> list[tuple[str, float] | None]:
    """What a model makes of some texts. Raises WrongLabels."""
    labels = list(labeller.label(texts, languages))
    if len(labels) != len(texts):
        raise WrongLabels(labeller, f"it returned {len(labels)} labels for {len(texts)} texts")
    return [None if label is None else _checked(labeller, label) for label in labels]


def primary_subtag(language: str | None, assumed: str | None = None) -> str | None:
    """The language of a tag (`en` of `en-GB`); `assumed` where there is none (BCP 47: `und` is undetermined)."""
    subtag = (language or "").replace("_", "-").split("-")[0].strip().lower()
    return assumed if subtag in ("", "und", "zxx", "qme", "qht", "qam", "qct", "qst") else subtag


def _checked(labeller: Labeller, label: object) -> Label:
    match label:
        case (str(text), float() | int() as score) if 0 < len(text) <= LONGEST_LABEL and 0 <= score <= 1:
            if not math.isnan(score):
                return text, float(score)
    raise WrongLabels(
        labeller, f"a label is a text of 1 to {LONGEST_LABEL} characters and a score from 0 to 1, not {label!r}"
    )
