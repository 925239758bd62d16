"""The lexicon for English, VADER (Hutto and Gilbert, 2014): needs no training, and labels no other language."""

from collections.abc import Sequence
from importlib.metadata import version

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from postrank.documents import JsonObject
from postrank.labels.labeller import Label
from postrank.options import Options

NEUTRAL_BELOW = 0.05  # of the compound score, in either direction (README of vaderSentiment, "About the Scoring")


class Vader:
    """`score` is how far the compound score is from the other labels; it is no probability."""

    model = "vader"

    def __init__(self) -> None:
        self.version = version("vaderSentiment")
        self._analyzer = SentimentIntensityAnalyzer()

    @classmethod
    def build(cls, options: JsonObject) -> "Vader":
        """The lexicon has no options. Raises WrongSettings."""
        Options(options, "options").finish()
        return cls()

    def label(self, texts: Sequence[str], languages: Sequence[str | None]) -> Sequence[Label | None]:
        """Labels of the English texts; None for every other language, an unknown one included."""
        return [
            self._label(text) if language == "en" else None for text, language in zip(texts, languages, strict=True)
        ]

    def _label(self, text: str) -> Label:
        compound: float = self._analyzer.polarity_scores(text)["compound"]
        if abs(compound) < NEUTRAL_BELOW:
            return "neutral", 1 - abs(compound)
        return "positive" if compound > 0 else "negative", abs(compound)
