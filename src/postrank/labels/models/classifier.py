"""The model that `postrank labels train` fits: n-grams of words and characters, logistic regression, calibration.

It is stored in the format of skops, which builds only objects of types that the reader trusts; a pickle would run
whatever code it holds.
"""

import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from postrank.errors import Fatal
from postrank.labels.labeller import Label
from postrank.labels.models.training_data import CLASSES, Examples

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV

# What skops does not trust by itself, and a model of ours consists of.
TRUSTED = ("sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration")
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_MENTION = re.compile(r"@\w[\w.@-]*")
_WORD_PATTERN = r"(?u)\b\w+(?:'\w+)?\b|[!?]+|[^\w\s]"
_FOLDS = 3


class UntrustedModel(Fatal):
    """A stored model holds something else than what `postrank labels train` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a model is fitted with. The version of a model names these and the training data."""

    test_share: float = 0.2  # of authors
    seed: int = 0
    regularization: float = 2.0  # scikit-learn's C
    word_ngrams: tuple[int, int] = (1, 2)
    character_ngrams: tuple[int, int] = (2, 5)
    most_character_ngrams: int = 100_000

    def version_for(self, examples: Examples) -> str:
        """A version that only the same data and parameters give again."""
        content = json.dumps([examples.sha256, asdict(self)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class TrainedLabeller:
    """A fitted model under a name; `score` is the calibrated probability of the label."""

    model: str
    version: str
    classifier: "CalibratedClassifierCV"
    languages: frozenset[str] | None = None  # it was trained on; None: any

    def label(self, texts: Sequence[str], languages: Sequence[str | None]) -> Sequence[Label | None]:
        """The most probable class of each text of a language that the model was trained on."""
        places = [place for place, language in enumerate(languages) if self._knows(language)]
        labels: list[Label | None] = [None] * len(texts)
        if places:
            shares = self.classifier.predict_proba([normalized(texts[place]) for place in places])
            for place, row in zip(places, shares.tolist(), strict=True):
                probability = max(row)
                labels[place] = (str(self.classifier.classes_[row.index(probability)]), probability)
        return labels

    def _knows(self, language: str | None) -> bool:
        return self.languages is None or language in self.languages


def fit(examples: Examples, parameters: Parameters) -> "CalibratedClassifierCV":
    """Fit on examples. Scores are calibrated on authors that the fold's model has not read (Platt's sigmoid)."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import FeatureUnion, Pipeline

    words = TfidfVectorizer(
        ngram_range=parameters.word_ngrams, token_pattern=_WORD_PATTERN, min_df=2, sublinear_tf=True
    )
    characters = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=parameters.character_ngrams,
        min_df=2,
        max_features=parameters.most_character_ngrams,
        sublinear_tf=True,
    )
    pipeline = Pipeline(
        [
            ("ngrams", FeatureUnion([("words", words), ("characters", characters)])),
            ("regression", LogisticRegression(C=parameters.regularization, class_weight="balanced", max_iter=500)),
        ]
    )
    folds = list(GroupKFold(_FOLDS).split(examples.texts, groups=examples.authors))
    classifier = CalibratedClassifierCV(pipeline, cv=folds, ensemble=False, method="sigmoid")
    classifier.fit([normalized(text) for text in examples.texts], examples.labels)
    classifier.cv = None  # the places of training texts are no part of the model
    return classifier


def dump(classifier: "CalibratedClassifierCV") -> bytes:
    """A fitted model in the format of skops."""
    with _quiet_imports():
        from skops import io

        body: bytes = io.dumps(classifier)
    return body


def load(body: bytes) -> "CalibratedClassifierCV":
    """A model that `dump` wrote. Raises UntrustedModel for any other content."""
    from sklearn.calibration import CalibratedClassifierCV

    with _quiet_imports():
        from skops import io
        from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with _quiet_imports():
            classifier = io.loads(body, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise UntrustedModel(f"the model holds objects of other types than a trained model: {error}") from error
    except Exception as error:  # skops raises whatever its parsers do
        raise UntrustedModel(f"the model cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(classifier, CalibratedClassifierCV) or set(classifier.classes_) - set(CLASSES):
        raise UntrustedModel("the model is not one that `postrank labels train` writes")
    return classifier


@contextmanager
def _quiet_imports() -> Iterator[None]:
    """Skops looks for its types in all imported modules; those of Airflow warn of each deprecated name that is read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def normalized(text: str) -> str:
    """A text without what names people and pages: every mention and every link is the same word."""
    return _MENTION.sub(" @user ", _LINK.sub(" httplink ", text))
