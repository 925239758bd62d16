"""`load_warehouse` for real: exports of the results bucket, Postgres behind RDS, as Airflow's role."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from localaws.testing.databases import connect, create
from localaws.testing.patience import patient
from postrank.ranking.export_reader import Results
from tests.dags.conftest import NAMES
from tests.support.lake.exports import Author, Written, export

pytestmark = [pytest.mark.timeout(patient(180)), pytest.mark.in_file_order]

INSTANCE = "postrank-local"  # whose secret Airflow's role may read
BUCKET = NAMES.buckets["results"]
COUNT = "select count(*) from rankings where revision = %s"


@pytest.fixture(scope="module")
def database(aws):
    return create(aws, INSTANCE, DBName="postrank", ManageMasterUserPassword=True)


@pytest.fixture
def connected(monkeypatch, database):
    """The connection, with the secret that RDS manages in place of a password."""
    connection = {
        "conn_type": "postgres",
        "host": database["Endpoint"]["Address"],
        "port": database["Endpoint"]["Port"],
        "schema": "postrank",
        "extra": {"secret": database["MasterUserSecret"]["SecretArn"]},
    }
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WAREHOUSE", json.dumps(connection))


def rows(aws, database, query, *values):
    secret = aws.client("secretsmanager").get_secret_value(SecretId=database["MasterUserSecret"]["SecretArn"])
    with connect(database, json.loads(secret["SecretString"])["password"]) as db:
        return db.execute(query, values).fetchall()


def write(aws, run, revision):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=30)
    posts = [Written(Author(id=str(n % 3)), start + timedelta(minutes=n % 7)) for n in range(40)]
    return export(aws.client("s3"), BUCKET, posts, run, revision=revision)


def test_without_a_connection_nothing_is_loaded(run_dag):
    outcome = run_dag("load_warehouse")
    assert outcome.state == "success"
    assert set(outcome.tasks.values()) == {"skipped"}


def test_exports_are_loaded_and_no_second_time(run_dag, aws, database, connected):
    run = write(aws, "manual__warehouse", 7)
    outcome = run_dag("load_warehouse")
    assert outcome.state == "success"
    assert f"rankings/run={run}/manifest.json" in outcome.returned("load_missed")["objects"]
    results = Results(aws.client("s3"), BUCKET)
    expected = sum(len(results.rows(name, run)) for name in ("minute", "hour", "day", "all"))
    assert rows(aws, database, COUNT, 7) == [(expected,)]
    assert run_dag("load_warehouse").returned("load_missed")["objects"] == []


def test_a_rotated_secret_is_read_again(run_dag, aws, database, connected):
    write(aws, "manual__rotated", 8)
    aws.client("rds").modify_db_instance(
        DBInstanceIdentifier=INSTANCE, RotateMasterUserPassword=True, ApplyImmediately=True
    )
    assert run_dag("load_warehouse", rebuild=True).state == "success"
    assert rows(aws, database, COUNT, 7) == [(0,)]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"host": "db.example.org"}, "root_certificate"),
        ({"host": ""}, "host"),
        ({"extra": {}}, "login"),
        ({"extra": {}, "login": "postrank"}, "password"),
    ],
)
def test_an_incomplete_connection_says_what_it_lacks(monkeypatch, change, part):
    from postrank_airflow.connections import warehouse

    usual = {"conn_type": "postgres", "host": "127.0.0.1", "extra": {"secret": "arn:aws:secretsmanager:x"}}
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WAREHOUSE", json.dumps({**usual, **change}))
    with pytest.raises(warehouse.ConnectionIncomplete, match=part):
        warehouse.loader()
