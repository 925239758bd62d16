"""Models: what they are trained on, how they are judged, how they are stored, and what is not loaded."""

import csv
import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner

from postrank.cli.labels import labels as command
from postrank.extras import MissingExtra
from postrank.labels.labeller import WrongLabels, checked_labels, primary_subtag
from postrank.labels.models.classifier import UntrustedModel, load, normalized
from postrank.labels.models.metrics import metrics_of
from postrank.labels.models.registry import UnknownModel, labeller_of
from postrank.labels.models.store import (
    DamagedModel,
    FolderStore,
    ModelExists,
    NoSuchModel,
    publish,
    stored_files,
)
from postrank.labels.models.training_data import CLASSES, Columns, WrongTrainingData, by_author, read_examples
from tests.unit.labels.texts import rows, write

COLUMNS = Columns(text="text", label="label", author="author", language="lang")
SAME = {label: label for label in CLASSES}


class Louder:
    """A team's own model."""

    model = "louder"
    version = "2"

    def __init__(self, options):
        self.word = options.get("word", "wow")

    def label(self, texts, languages):
        return [("loud", 1.0) if self.word in text else None for text in texts]


class Broken(Louder):
    def label(self, texts, languages):
        return self.word


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "posts.csv", rows(360))


@pytest.fixture(scope="module")
def trained(labelled, tmp_path_factory):
    """The folder of models with one, its name for options, and what the command printed."""
    folder = tmp_path_factory.mktemp("models")
    result = run(
        "train", labelled, "--name", "moods", "--author-column", "author", "--language-column", "lang", store=folder
    )
    assert result.exit_code == 0, result.output
    return folder, result.output.split()[-1], result.output


def run(action, *arguments, store=None, **more):
    words = [action, *map(str, arguments), *(["--store", str(store)] if store else [])]
    return CliRunner().invoke(command, words, catch_exceptions=False, **more)


def test_a_trained_model_is_stored_with_metrics_card_and_checksums(trained):
    folder, name, output = trained
    model, version = name.removeprefix("trained:").split("@")
    files = stored_files(FolderStore(folder), model, version)
    assert set(files) == {"model.skops", "metrics.json", "card.md"}
    metrics = json.loads(files["metrics.json"])
    assert metrics["macro_f1"] > 0.9
    assert sum(sum(row.values()) for row in metrics["confusion"].values()) == metrics["texts"]
    assert metrics["languages"] == ["en"]
    card = files["card.md"].decode()
    assert f"# moods {version}" in card
    assert "no author is in both parts" in card
    assert f"Macro F1 {metrics['macro_f1']:.3f}" in card
    assert f"macro F1 {metrics['macro_f1']:.3f}" in output


def test_the_same_data_give_the_same_version_and_it_is_not_written_twice(trained, labelled):
    folder, name, _ = trained
    model, version = name.removeprefix("trained:").split("@")
    files = stored_files(FolderStore(folder), model, version)
    publish(FolderStore(folder), model, version, files)
    with pytest.raises(ModelExists):
        publish(FolderStore(folder), model, version, {**files, "card.md": b"other"})


def test_evaluating_gives_the_metrics_of_training_on_authors_held_back(trained, labelled):
    folder, name, output = trained
    judged = run("evaluate", labelled, "--model", name, "--author-column", "author", "--language", "en", store=folder)
    assert judged.output.splitlines()[0] == output.splitlines()[0]


def test_labels_are_probabilities_and_only_of_the_languages_trained_on(trained):
    folder, name, _ = trained
    labeller = labeller_of(name, {}, FolderStore(folder))
    texts = ["wonderful kind great", "worst rude lost", "gate number today", "wonderful kind great"]
    labels = checked_labels(labeller, texts, ["en", "en", "en", "ja"])
    assert [label and label[0] for label in labels] == ["positive", "negative", "neutral", None]
    assert all(label is None or 1 / 3 < label[1] <= 1 for label in labels)


def test_each_line_is_labelled(trained):
    folder, name, _ = trained
    result = run("label", "--model", name, "--language", "en", store=folder, input="so lovely, thanks\nworst\n")
    assert [json.loads(line)["label"] for line in result.output.splitlines()] == ["positive", "negative"]


def test_no_author_is_in_both_parts(labelled):
    examples = read_examples(labelled, COLUMNS, SAME)
    first, second = by_author(examples, 0.2, 0)
    assert not set(first.authors) & set(second.authors)
    assert len(first) + len(second) == 360
    assert 0.1 < len(second) / 360 < 0.3


@pytest.mark.parametrize("file", ["model.skops", "card.md"])
def test_a_changed_or_missing_file_is_not_used(tmp_path, file):
    store = FolderStore(tmp_path)
    publish(store, "moods", "1", {"model.skops": b"model", "card.md": b"card"})
    store.write(f"models/moods/1/{file}", b"changed")
    with pytest.raises(DamagedModel, match=file):
        stored_files(store, "moods", "1")
    (tmp_path / f"models/moods/1/{file}").unlink()
    with pytest.raises(DamagedModel, match="missing"):
        stored_files(store, "moods", "1")


@pytest.mark.parametrize("name", ["trained:moods@7", "trained:../../etc@1", "trained:moods@../x"])
def test_what_is_not_stored_or_leaves_the_folder_is_no_model(tmp_path, name):
    with pytest.raises(NoSuchModel):
        labeller_of(name, {}, FolderStore(tmp_path))


def test_a_pickle_or_an_object_of_another_type_is_not_loaded():
    from sklearn.linear_model import LogisticRegression
    from skops import io

    class Payload:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    for body in (pickle.dumps(Payload()), io.dumps(LogisticRegression()), io.dumps(Louder({})), b""):
        with pytest.raises(UntrustedModel):
            load(body)


def test_vader_labels_english_and_nothing_else(tmp_path):
    labeller = labeller_of("vader", {}, FolderStore(tmp_path))
    texts = ["I love this, great!", "This is terrible", "The gate is 7", "I love this", "I love this"]
    labels = checked_labels(labeller, texts, ["en", "en", "en", "ja", None])
    assert [label and label[0] for label in labels] == ["positive", "negative", "neutral", None, None]


def test_a_model_of_a_team_is_imported_and_gets_its_options(tmp_path):
    labeller = labeller_of("tests.unit.labels.test_models:Louder", {"word": "oh"}, FolderStore(tmp_path))
    assert checked_labels(labeller, ["oh no", "hm"], [None, None]) == [("loud", 1.0), None]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("vade", "did you mean 'vader'"),
        ("tests.unit.labels.no_such:Model", "no_such"),
        ("tests.unit.labels.test_models:Missing", "Missing"),
        ("tests.unit.labels.test_models:SAME", "not callable"),
        ("tests.unit.labels.test_models:run", "no model"),
    ],
)
def test_what_is_no_model_is_explained(tmp_path, name, part):
    with pytest.raises((UnknownModel, TypeError), match=part if "run" not in name else None):
        labeller_of(name, {}, FolderStore(tmp_path))


@pytest.mark.parametrize(
    "result",
    [
        [],
        [("a", 0.5), ("b", 0.5)],
        [("", 0.5)],
        [("a", 1.5)],
        [("a", float("nan"))],
        [("x" * 65, 0.5)],
        ["a"],
        [(1, 0.5)],
    ],
)
def test_what_is_no_label_is_not_stored(result):
    with pytest.raises(WrongLabels, match="louder 2"):
        checked_labels(Broken({"word": result}), ["text"], [None])


def test_metrics_count_a_text_without_a_label_as_wrong():
    actual = ["positive", "positive", "neutral", "negative"]
    metrics = metrics_of(actual, [("positive", 0.9), None, ("neutral", 0.7), ("positive", 0.5)])
    assert metrics.accuracy == 0.5
    assert metrics.unlabelled == 1
    assert metrics.confusion["negative"] == {"negative": 0, "neutral": 0, "positive": 1}
    assert (metrics.classes["positive"].precision, metrics.classes["positive"].recall) == (0.5, 0.5)
    assert metrics.macro_f1 == pytest.approx((0.5 + 1 + 0) / 3)
    assert metrics.calibration_error == pytest.approx((0.1 + 0.3 + 0.5) / 3)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"text": "txt"}, "did you mean 'text'"),
        ({"label": "author"}, "--class"),
        ({"author": "writer"}, "'writer'"),
    ],
)
def test_a_wrong_column_is_named(labelled, change, part):
    columns = {"text": "text", "label": "label", "author": "author", **change}
    with pytest.raises(WrongTrainingData, match=part):
        read_examples(labelled, Columns(**columns), SAME)


def test_two_classes_are_not_enough(tmp_path):
    path = write(tmp_path / "two.csv", [row for row in rows(60) if row["label"] != "neutral"])
    with pytest.raises(WrongTrainingData, match="neutral"):
        read_examples(path, COLUMNS, SAME)


def test_labels_of_the_file_are_mapped_and_incomplete_rows_are_skipped(tmp_path):
    codes = {"negative": "0", "neutral": "2", "positive": "4"}
    content = [{**row, "label": codes[row["label"]]} for row in rows(30)]
    content[0]["text"] = " "
    examples = read_examples(
        write(tmp_path / "codes.csv", content), COLUMNS, {code: name for name, code in codes.items()}
    )
    assert (len(examples), examples.skipped) == (29, 1)
    assert set(examples.labels) == set(CLASSES)
    assert set(examples.languages) == {"en"}
    wrong = run("train", tmp_path / "codes.csv", "--name", "m", "--class", "0=negativ", store=tmp_path)
    assert wrong.exit_code == 2
    assert "did you mean 'negative'" in wrong.output


def test_a_file_that_is_no_csv_is_named(tmp_path):
    (tmp_path / "image.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("image.csv", "absent.csv"):
        with pytest.raises(WrongTrainingData, match=name):
            read_examples(tmp_path / name, COLUMNS, SAME)


def test_quoted_line_breaks_belong_to_a_text(tmp_path):
    content = rows(30)
    content[3]["text"] = 'two\nlines, "quoted"'
    with (path := write(tmp_path / "lines.csv", content)).open(newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 31
    assert read_examples(path, COLUMNS, SAME).texts[3] == 'two\nlines, "quoted"'


def test_names_and_links_are_no_features():
    assert normalized("@sim_ann look https://example.org/a?b=c") == " @user  look  httplink "


@pytest.mark.parametrize(
    ("tag", "language"), [("en-GB", "en"), ("PT_br", "pt"), (None, "fr"), ("und", "fr"), ("", "fr"), ("zh-Hant", "zh")]
)
def test_a_language_is_the_primary_subtag(tag, language):
    assert primary_subtag(tag, "fr") == language


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vaderSentiment.vaderSentiment", None)
    monkeypatch.delitem(__import__("sys").modules, "postrank.labels.models.lexicon", raising=False)
    with pytest.raises(MissingExtra, match="labels"):
        labeller_of("vader", {}, FolderStore(tmp_path))
