"""`label_posts` for real: posts of the lake, a trained model of the artifacts bucket, Postgres, as Airflow's role."""

import json
import random

import pytest

from localaws.testing.databases import PASSWORD, create
from localaws.testing.patience import patient
from postrank.aws.glue import Partition
from postrank.labels.models.classifier import Parameters, dump, fit
from postrank.labels.models.store import MODEL, BucketStore, publish
from postrank.labels.models.training_data import Examples
from postrank.ranking.lease import PREFIX
from postrank.warehouse.connection import Login, Server, connect, fixed
from postrank.warehouse.schema import migrate
from tests.dags.conftest import NAMES
from tests.support.lake.ranked_lake import Lake, delete, post
from tests.unit.labels.texts import MOODS, sentence

pytestmark = [pytest.mark.timeout(patient(300)), pytest.mark.in_file_order]

HOUR = "2026-11-20T01"
AT = "2026-11-19T10:00:0{}.000Z"
LABELS = "select post_id, label, model, model_version from labels where post_id like 'mood-%' order by 1"
WORDS = "select word, posts from words where posted_date = '2026-11-19' order by 1"


@pytest.fixture(scope="module")
def warehouse(aws):
    """A connection to a migrated warehouse, and Airflow's connection to it."""
    endpoint = create(aws, "labels", DBName="postrank")["Endpoint"]
    server = Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")
    address = {
        "conn_type": "postgres",
        "host": server.host,
        "port": server.port,
        "schema": "postrank",
        "login": "keeper",
        "password": PASSWORD,
    }
    with connect(server, fixed(Login(user="keeper", password=PASSWORD))) as connection:
        migrate(connection)
        yield connection, json.dumps(address)


@pytest.fixture
def connected(monkeypatch, warehouse):
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WAREHOUSE", warehouse[1])


@pytest.fixture
def configured(monkeypatch):
    """Sets the variable."""
    return lambda **document: monkeypatch.setenv("AIRFLOW_VAR_POSTRANK_LABELS", json.dumps(document))


@pytest.fixture(scope="module")
def model(aws) -> str:
    """The name of a model that was trained and stored."""
    numbers = random.Random(1)
    moods = list(MOODS) * 20
    examples = Examples(
        texts=[sentence(mood, numbers) for mood in moods],
        labels=moods,
        authors=[f"sim_{n // 2}" for n in range(len(moods))],
        languages=["en"] * len(moods),
        has_authors=True,
        sha256="0" * 64,
    )
    store = BucketStore(aws.client("s3"), NAMES.buckets["artifacts"])
    publish(store, "moods", "1", {MODEL: dump(fit(examples, Parameters()))})
    return "trained:moods@1"


@pytest.fixture(scope="module")
def posts(aws, deliver):
    """Delivers events into an hour and ranks them."""
    lake = Lake(aws.client, NAMES)

    def ingest(name, *events, hour=HOUR):
        bucket = NAMES.buckets["lake"]
        for entry in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", ()):
            aws.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])  # of runs that ended without releasing
        deliver(hour, list(events), name=name)
        location = f"s3://{NAMES.buckets['raw']}/raw/posts/dt={hour[:10]}/hour={hour[11:]}/"
        lake.catalogue.point("raw_posts", [Partition((hour[:10], hour[11:]), location)])
        lake.rank(run_id=f"labels {name}", interval_start="2026-11-19T10:00:00Z", interval_end="2026-11-19T12:00:00Z")

    return ingest


def test_without_a_variable_or_a_warehouse_nothing_is_labelled(run_dag, configured):
    outcome = run_dag("label_posts")
    assert (outcome.state, set(outcome.tasks.values())) == ("success", {"skipped"})
    assert "there is no variable postrank_labels" in outcome.note
    configured(model="vader", words={})
    outcome = run_dag("label_posts")
    assert set(outcome.tasks.values()) == {"skipped"}
    assert "no connection postrank_warehouse" in outcome.note


def test_posts_are_labelled_and_words_counted(run_dag, warehouse, connected, configured, model, posts):
    posts(
        "first",
        post("mood-1", "ann", AT.format(1), text="lovely thanks", lang="en"),
        post("mood-2", "bob", AT.format(2), text="worst broken", lang="en"),
    )
    configured(model=model, words={"least_posts": 1})
    outcome = run_dag("label_posts")
    assert outcome.state == "success"
    assert "labelled" in outcome.note
    rows = warehouse[0].execute(LABELS).fetchall()
    assert rows == [("mood-1", "positive", "moods", "1"), ("mood-2", "negative", "moods", "1")]
    assert dict(warehouse[0].execute(WORDS).fetchall()) == {"lovely": 1, "broken": 1, "worst": 1}
    assert "0 posts" in run_dag("label_posts").returned("new_labels")


def test_labels_and_words_of_a_deleted_post_disappear(run_dag, warehouse, connected, configured, model, posts):
    posts("third", delete("mood-2", received_at="2026-11-20T02:00:00.000Z"), hour="2026-11-20T02")
    configured(model=model, words={"least_posts": 1})
    outcome = run_dag("label_posts")
    assert outcome.state == "success"
    assert warehouse[0].execute(LABELS).fetchall() == [("mood-1", "positive", "moods", "1")]
    assert dict(warehouse[0].execute(WORDS).fetchall()) == {"lovely": 1}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "JSON"),
        ("[1]", "JSON object"),
        ('{"modle": "vader"}', "modle"),
        ('{"model": "trained:moods@7"}', "moods 7"),
    ],
)
def test_a_wrong_variable_fails_with_what_is_wrong(run_dag, connected, monkeypatch, text, part):
    monkeypatch.setenv("AIRFLOW_VAR_POSTRANK_LABELS", text)
    outcome = run_dag("label_posts")
    assert outcome.tasks["new_labels"] == "failed"
    assert part in outcome.note
