"""From posts of the lake to labels of the warehouse: what is labelled, once, in which order, and what is not."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from postrank.labels.budgets import Budget
from postrank.labels.deletions import Deletions
from postrank.labels.labelling import Labelling
from postrank.options import WrongSettings
from postrank.ranking.lease import LABELS
from postrank.warehouse.schema import SchemaBehind
from tests.support.lake.ranked_lake import author_delete, delete, post
from tests.unit.labels.conftest import FreeTurn, ingest

HOUR = "2026-11-24T05"
AT = "2026-11-24T05:00:0{}.000Z"
LABELS_OF = "select network, post_id, label, model_version, language from labels order by network, post_id"


class Killed(Exception):
    """A run ends in the middle."""


class Length:
    """A model: the label is the number of words, of texts that are not French. It counts its calls."""

    def __init__(self, version="1"):
        self.model = "length"
        self.version = version
        self.batches = []

    def label(self, texts, languages):
        self.batches.append(len(texts))
        return [
            None if language == "fr" else (f"{len(text.split())} words", 0.5)
            for text, language in zip(texts, languages, strict=True)
        ]

    @property
    def texts(self):
        return sum(self.batches)


@pytest.fixture
def labelling(parts):
    return Labelling(labeller=Length(), **parts)


def labels(database):
    return {post_id: label for _, post_id, label, _, _ in database.execute(LABELS_OF).fetchall()}


def test_posts_get_labels_with_what_charts_need(lake, labelling, database):
    tagged = post("1", "ann", AT.format(1), text="one two", lang="en-GB", hashtags=["Rain", 'quo"te'])
    ingest(lake, HOUR, tagged, post("2", "bob", AT.format(2), text="ici", lang="fr"), post("3", "bob", AT.format(3)))
    outcome = labelling.run()
    assert (outcome.labelled, outcome.unlabelled, outcome.hours, outcome.hours_left) == (2, 1, 1, 0)
    query = "select label, score, language, posted_at, author_id, hashtags from labels where post_id = '1'"
    posted_at = datetime(2026, 11, 24, 5, 0, 1, tzinfo=UTC)
    assert database.execute(query).fetchall() == [("2 words", 0.5, "en", posted_at, "ann", ["rain", 'quo"te'])]
    assert labels(database) == {"1": "2 words", "3": "3 words"}


def test_a_second_run_labels_only_what_is_new(lake, labelling, database):
    ingest(lake, HOUR, post("1", "ann", AT.format(1)))
    labelling.run()
    assert labelling.run().posts == 0
    ingest(lake, "2026-11-24T06", post("2", "ann", AT.format(2)))
    assert labelling.run().labelled == 1
    assert labelling.labeller.texts == 2
    ingest(lake, HOUR, post("3", "ann", AT.format(3)))
    labelling.run()
    assert set(labels(database)) == {"1", "2", "3"}


def test_edited_posts_get_new_labels_and_deleted_ones_lose_theirs(lake, labelling, database):
    events = [post(n, "ann", AT.format(n), text="a b") for n in "1234"]
    ingest(lake, HOUR, *events)
    labelling.run()
    longer = post("1", "ann", AT.format(1), kind="edit", text="a b c", received_at="2026-11-24T06:00:00.000Z")
    french = post("2", "ann", AT.format(2), kind="edit", lang="fr", received_at="2026-11-24T06:00:00.000Z")
    ingest(lake, "2026-11-24T06", longer, french, delete("3", received_at="2026-11-24T06:00:00.000Z"))
    outcome = labelling.run()
    assert labels(database) == {"1": "3 words", "4": "2 words"}
    assert outcome.removed == 2


def test_another_version_labels_every_post_again(lake, parts, database):
    ingest(lake, HOUR, *(post(n, "ann", AT.format(n)) for n in "12"))
    for version in ("1", "2", "1"):
        assert Labelling(labeller=Length(version), **parts).run().labelled == 2
        assert {row[3] for row in database.execute(LABELS_OF).fetchall()} == {version}


def test_a_budget_ends_a_run_and_the_next_one_resumes(lake, labelling, database):
    ingest(lake, HOUR, *(post(f"{n}", "ann", AT.format(n)) for n in range(5)))
    small = replace(labelling, budget=Budget(posts=2, batch=1))
    assert [small.run().labelled for _ in range(4)] == [2, 2, 1, 0]
    assert labelling.labeller.texts == 5
    assert len(labels(database)) == 5
    spent = replace(labelling, labeller=Length("2"), budget=Budget(seconds=0.0))
    assert (spent.run().posts, spent.run().hours_left) == (0, 1)


def test_the_newest_arrivals_come_first(lake, labelling, database):
    ingest(lake, "2026-11-23T05", post("old", "ann", AT.format(1)))
    ingest(lake, HOUR, post("new", "ann", AT.format(2)))
    outcome = replace(labelling, budget=Budget(posts=1)).run()
    assert (set(labels(database)), outcome.hours_left) == ({"new"}, 1)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_run_killed_before_any_batch_resumes_after_the_last(lake, labelling, database, batch):
    ingest(lake, HOUR, *(post(f"{n}", "ann", AT.format(n)) for n in range(5)))
    for killed_at in range(1, 6):
        calls = []

        def count(calls=calls, killed_at=killed_at):
            calls.append(1)
            if len(calls) == killed_at:
                raise Killed

        turn = FreeTurn(count)
        try:
            replace(labelling, turn=turn, budget=Budget(batch=batch)).run()
        except Killed:
            continue
    labelling.run()
    assert labels(database) == {f"{n}": "3 words" for n in range(5)}
    assert labelling.run().posts == 0


def test_posts_without_text_have_no_label_and_unknown_languages_may_be_assumed(lake, labelling, database):
    ingest(lake, HOUR, post("1", "ann", AT.format(1), text=None), post("2", "ann", AT.format(2), lang="und"))
    replace(labelling, assumed_language="en").run()
    rows = [(row[1], row[4]) for row in database.execute(LABELS_OF).fetchall()]
    assert rows == [("2", "en")]


def test_a_lake_without_posts_gives_no_labels(labelling):
    assert not labelling.lake.has_posts
    assert labelling.run().posts == 0


def test_a_real_lease_is_held_while_posts_are_read(lake, labelling, database):
    ingest(lake, HOUR, post("1", "ann", AT.format(1)))
    lease = lake.lease(LABELS, "labels")
    other = lake.lease(LABELS, "redaction")
    taken = []

    class Watching(Length):
        def label(self, texts, languages):
            taken.append(other.acquire())
            return super().label(texts, languages)

    replace(labelling, labeller=Watching(), turn=lease).run()
    assert taken == [None]
    assert other.acquire() is not None


def test_redaction_removes_labels_of_deleted_posts_and_authors(lake, parts, database):
    texts = [post(n, "ann", AT.format(n)) for n in "123"]
    ingest(lake, HOUR, *texts, *(post(f"b{n}", "bob", AT.format(n)) for n in "123"))
    Labelling(labeller=Length(), **parts).run()
    later = "2026-11-24T06:00:00.000Z"
    gone = [delete("1", received_at=later), author_delete("bob", AT.format(2), received_at=later)]
    ingest(lake, "2026-11-24T06", *gone)
    deletions = Deletions(**parts)
    removed = deletions.run(datetime(2026, 11, 24, 15, tzinfo=UTC))
    assert set(labels(database)) == {"2", "3", "b3"}
    assert removed.labels == 3
    assert deletions.run(datetime(2026, 11, 24, 15, tzinfo=UTC)).labels == 0


def test_labels_need_the_newest_schema(lake, labelling, database):
    with database.transaction(force_rollback=True):
        database.execute("update alembic_version set version_num = '0001'")
        with pytest.raises(SchemaBehind):
            replace(labelling, connect=lambda: nullcontext(database)).run()


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ({"modell": "vader"}, "did you mean 'model'"),
        ({"model": 1}, "model must be text"),
        ({"model": "vader", "posts": 0}, "posts must be"),
        ({"model": "vader", "options": ["x"]}, "options must be a table"),
        ({"words": {"least": 1}}, "words.least is not a known key"),
        ({"model": "vader", "seconds": 9999}, "seconds must be"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(document, part):
    from postrank.labels.configuration import Configuration

    with pytest.raises(WrongSettings, match=part):
        Configuration.of(document)
