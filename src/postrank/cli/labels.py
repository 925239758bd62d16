"""`postrank labels`: train, evaluate and use models that label posts."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypedDict, TypeVar, Unpack

import click

from postrank.cli.command_group import CommandGroup
from postrank.extras import require
from postrank.labels.labeller import checked_labels
from postrank.labels.models.metrics import Metrics
from postrank.labels.models.registry import labeller_of
from postrank.labels.models.store import CARD, METRICS, MODEL, BucketStore, FolderStore, Store, publish
from postrank.labels.models.training_data import CLASSES, Columns, Examples, by_author, read_examples
from postrank.suggestions import nearest

F = TypeVar("F", bound=Callable[..., None])

_store = click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of models. Default: the artifacts bucket of POSTRANK_ACCOUNT.",
)
_language = click.option("--language", help="Language of the texts (en, ja), where no column states it.")


class Data(TypedDict):
    """What says which rows and columns of a CSV file to read, as `_data_options` passes it."""

    file: Path
    text_column: str
    label_column: str
    author_column: str | None
    language_column: str | None
    classes: tuple[str, ...]
    language: str | None


def _data_options(command: F) -> F:
    for option in reversed(
        (
            click.argument("file", type=click.Path(dir_okay=False, path_type=Path)),
            click.option("--text-column", default="text", show_default=True, help="Column of the texts."),
            click.option("--label-column", default="label", show_default=True, help="Column of the labels."),
            click.option("--author-column", help="Column of the authors; no author is trained on and judged by."),
            click.option("--language-column", help="Column of the languages."),
            click.option(
                "--class",
                "classes",
                multiple=True,
                metavar="LABEL=CLASS",
                help=f"The class ({', '.join(CLASSES)}) of a label of the file; repeatable. Default: the same word.",
            ),
            _language,
            click.option(
                "--seed", type=int, default=0, show_default=True, help="Divides the authors; same seed, same."
            ),
        )
    ):
        command = option(command)
    return command


@click.group(cls=CommandGroup)
def labels() -> None:
    """Train, evaluate and use models that label posts as negative, neutral or positive.

    \b
    Examples:
      postrank labels train posts.csv --name moods --author-column author
      postrank labels evaluate posts.csv --model vader --language en
    """
    require("sklearn", "skops", "vaderSentiment")


@labels.command()
@_data_options
@click.option("--name", required=True, help="Name of the model; its version follows from data and parameters.")
@_store
def train(*, name: str, store: Path | None, seed: int, **data: Unpack[Data]) -> None:
    """Fit a model on a labelled CSV file and store it with its metrics and its card.

    A fifth of the authors is held back to judge the model. The version is a digest of data and parameters: the same
    command stores the same version.

    \b
    Examples:
      postrank labels train posts.csv --name moods --author-column author --language en
      postrank labels train posts.csv --name moods --class 0=negative --class 2=neutral --class 4=positive
    """
    from postrank.labels.models import card, classifier, metrics

    columns, examples = _examples(data)
    parameters = classifier.Parameters(seed=seed)
    version = parameters.version_for(examples)
    target = _store_of(store)
    trained, held_back = by_author(examples, parameters.test_share, seed)
    model = classifier.fit(trained, parameters)
    judged = metrics.evaluate(classifier.TrainedLabeller(name, version, model), held_back)
    text = card.model_card(name, version, columns, trained, judged, parameters)
    document = {**judged.document(), "languages": trained.known_languages()}
    files = {
        MODEL: classifier.dump(model),
        METRICS: (json.dumps(document, indent=1) + "\n").encode(),
        CARD: text.encode(),
    }
    url = publish(target, name, version, files)
    _print_metrics(judged)
    click.echo(f"stored {url}\nuse it as trained:{name}@{version}")


@labels.command()
@_data_options
@click.option("--model", required=True, help="vader, trained:NAME@VERSION, an entry point, or module:attribute.")
@click.option(
    "--all", "whole", is_flag=True, help="Judge by all rows rather than by the authors that train holds back."
)
@_store
def evaluate(*, model: str, store: Path | None, seed: int, whole: bool, **data: Unpack[Data]) -> None:
    """Judge a model by the authors that `train` holds back from a labelled CSV file, with the same seed.

    \b
    Examples:
      postrank labels evaluate posts.csv --model vader --language en --author-column author
      postrank labels evaluate other.csv --model trained:moods@3f2a91c04b7d --all
    """
    from postrank.labels.models import classifier, metrics

    _, examples = _examples(data)
    labeller = labeller_of(model, {}, _store_of(store, is_needed=model.startswith("trained:")))
    judged = examples if whole else by_author(examples, classifier.Parameters().test_share, seed)[1]
    _print_metrics(metrics.evaluate(labeller, judged))


@labels.command()
@click.argument("file", type=click.File(encoding="utf-8"), default="-")
@click.option("--model", required=True, help="vader, trained:NAME@VERSION, an entry point, or module:attribute.")
@_language
@_store
def label(*, file: TextIO, model: str, language: str | None, store: Path | None) -> None:
    """Label texts, one a line; prints one JSON object a line. A text without a label has null.

    \b
    Examples:
      postrank labels label texts.txt --model vader --language en
      echo "What a day" | postrank labels label --model trained:moods@3f2a91c04b7d
    """
    labeller = labeller_of(model, {}, _store_of(store, is_needed=model.startswith("trained:")))
    while texts := [line.rstrip("\n") for line in file.readlines(1 << 16)]:
        for text, judged in zip(texts, checked_labels(labeller, texts, [language] * len(texts)), strict=True):
            name, score = judged or (None, None)
            click.echo(json.dumps({"label": name, "score": score, "text": text}, ensure_ascii=False))


def _examples(data: Data) -> tuple[Columns, Examples]:
    columns = Columns(
        text=data["text_column"],
        label=data["label_column"],
        author=data["author_column"],
        language=data["language_column"],
    )
    classes = {label: label for label in CLASSES} | dict(_class(text) for text in data["classes"])
    return columns, read_examples(data["file"], columns, classes, data["language"])


def _class(text: str) -> tuple[str, str]:
    name, separator, label = text.rpartition("=")
    if not separator or label not in CLASSES:
        raise click.BadParameter(
            f"{text!r} is not LABEL=CLASS with one of {', '.join(CLASSES)}{nearest(label, CLASSES)}",
            param_hint="--class",
        )
    return name, label


def _store_of(path: Path | None, *, is_needed: bool = True) -> Store:
    """The folder, or the artifacts bucket of the environment's account, which only stored models need."""
    if path is not None or not is_needed:
        return FolderStore(path or Path())
    from postrank.aws.clients import Clients
    from postrank.aws.resources import Resources
    from postrank.settings import Settings

    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    return BucketStore(Clients(names.region).get("s3"), names.buckets["artifacts"])


def _print_metrics(metrics: Metrics) -> None:
    click.echo(
        f"macro F1 {metrics.macro_f1:.3f}, accuracy {metrics.accuracy:.3f}, calibration error "
        f"{metrics.calibration_error:.3f}, {metrics.texts:,} texts, {metrics.unlabelled:,} without a label"
    )
    click.echo(
        f"{'actual':<10} {'precision':>9} {'recall':>9} {'F1':>9} {'texts':>9}   labelled as {', '.join(CLASSES)}"
    )
    for name, values in metrics.classes.items():
        confusion = " ".join(f"{metrics.confusion[name][label]:>9,}" for label in CLASSES)
        click.echo(
            f"{name:<10} {values.precision:>9.3f} {values.recall:>9.3f} {values.f1:>9.3f} {values.support:>9,}   "
            f"{confusion}"
        )
