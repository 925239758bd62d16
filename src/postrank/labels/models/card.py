"""The card that is stored with a trained model: what it was made from, how well it does, what it is not for."""

from postrank.labels.models.classifier import Parameters
from postrank.labels.models.metrics import Metrics
from postrank.labels.models.training_data import CLASSES, Columns, Examples

_LIMITS = """\
## Use

For the mood of public posts in aggregate: over time, by author and by hashtag. A single label is often wrong.

Do not use it to infer health, politics, religion, ethnicity, sexual life or union membership of a person, to decide
about a person, or on texts of another language or kind than those it was trained on.
"""


def model_card(
    name: str, version: str, columns: Columns, trained: Examples, judged: Metrics, parameters: Parameters
) -> str:
    """The card in Markdown. `trained` are the examples that the model has read, `judged` its metrics on the others."""
    division = (
        f"by `{columns.author}`: no author is in both parts" if columns.author else "text by text: no author is known"
    )
    counts = ", ".join(f"{count:,} {label}" for label, count in trained.counts().items())
    rows = [
        f"| {label} | {metrics.precision:.3f} | {metrics.recall:.3f} | {metrics.f1:.3f} | {metrics.support:,} |"
        for label, metrics in judged.classes.items()
    ]
    confusion = [
        f"| {actual} | {' | '.join(f'{judged.confusion[actual][label]:,}' for label in CLASSES)} |"
        for actual in CLASSES
    ]
    return "\n".join(
        [
            f"# {name} {version}",
            "",
            "TF-IDF of word and character n-grams, logistic regression, scores calibrated with a sigmoid. Classes: "
            f"{', '.join(CLASSES)}.",
            "",
            "## Data",
            "",
            f"- CSV file with SHA-256 `{trained.sha256}`, columns `{columns.text}` and `{columns.label}`",
            f"- trained on {len(trained):,} texts: {counts}",
            f"- languages: {', '.join(sorted({language or 'not stated' for language in trained.languages}))}",
            f"- judged on {judged.texts:,} other texts, divided {division}",
            f"- mentions and links are replaced before the text is read; parameters: `{parameters}`",
            "",
            "## Metrics",
            "",
            f"Macro F1 {judged.macro_f1:.3f}, accuracy {judged.accuracy:.3f}, expected calibration error "
            f"{judged.calibration_error:.3f}.",
            "",
            "| Class | Precision | Recall | F1 | Texts |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"| Actual, labelled as | {' | '.join(CLASSES)} |",
            f"|---|{'---|' * len(CLASSES)}",
            *confusion,
            "",
            _LIMITS,
        ]
    )
