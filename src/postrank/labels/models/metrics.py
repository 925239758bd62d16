"""How well a model does on labelled texts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from postrank.documents import Document
from postrank.labels.labeller import Label, Labeller, checked_labels
from postrank.labels.models.training_data import CLASSES, Examples

_BINS = 10
_BATCH = 1000  # texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMetrics:
    """One class: `support` is how many texts have it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """`confusion[a][p]`: texts of class a that were labelled p; a text without a label counts as wrong.

    `calibration_error` is the mean distance of score and share of right labels over ten bins of scores, weighted by
    texts (expected calibration error).
    """

    texts: int
    unlabelled: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    classes: dict[str, ClassMetrics]
    confusion: dict[str, dict[str, int]]

    def document(self) -> Document:
        """As JSON: three decimals are significant for some thousand texts, five are kept."""
        return asdict(self, dict_factory=lambda items: {name: _rounded(value) for name, value in items})


def evaluate(labeller: Labeller, examples: Examples) -> Metrics:
    """Compare a model's labels with those of the examples. Raises WrongLabels."""
    labels: list[Label | None] = []
    for start in range(0, len(examples), _BATCH):
        end = start + _BATCH
        labels += checked_labels(labeller, examples.texts[start:end], examples.languages[start:end])
    return metrics_of(examples.labels, labels)


def metrics_of(actual: Sequence[str], predicted: Sequence[Label | None]) -> Metrics:
    """The metrics of some labels. Classes that no text has count for nothing in the mean."""
    pairs = list(zip(actual, predicted, strict=True))
    names = list(dict.fromkeys((*CLASSES, *(label[0] for label in predicted if label))))
    confusion = {row: dict.fromkeys(names, 0) for row in CLASSES}
    for label, prediction in pairs:
        if prediction:
            confusion[label][prediction[0]] += 1
    classes = {name: _class_metrics(name, actual, confusion) for name in CLASSES}
    right = sum(confusion[name][name] for name in CLASSES)
    present = [metrics.f1 for metrics in classes.values() if metrics.support]
    return Metrics(
        texts=len(pairs),
        unlabelled=sum(prediction is None for prediction in predicted),
        accuracy=_ratio(right, len(pairs)),
        macro_f1=_ratio(sum(present), len(present)),
        calibration_error=_calibration_error(pairs),
        classes=classes,
        confusion=confusion,
    )


def _class_metrics(name: str, actual: Sequence[str], confusion: dict[str, dict[str, int]]) -> ClassMetrics:
    support = sum(label == name for label in actual)
    labelled = sum(row[name] for row in confusion.values())
    precision = _ratio(confusion[name][name], labelled)
    recall = _ratio(confusion[name][name], support)
    return ClassMetrics(
        precision=precision,
        recall=recall,
        f1=_ratio(2 * precision * recall, precision + recall),
        support=support,
    )


def _calibration_error(pairs: Sequence[tuple[str, Label | None]]) -> float:
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for label, prediction in pairs:
        if prediction:
            bins[min(int(prediction[1] * _BINS), _BINS - 1)].append((prediction[1], prediction[0] == label))
    distances = [abs(sum(score - right for score, right in content)) for content in bins]
    return _ratio(sum(distances), sum(map(len, bins)))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _rounded(value: object) -> object:
    return round(value, 5) if isinstance(value, float) else value
