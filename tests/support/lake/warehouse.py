"""A warehouse: the local RDS with every migration applied, and a results bucket with exports."""

from datetime import datetime
from pathlib import Path

import pytest

from localaws.testing.databases import PASSWORD, create
from localaws.testing.server import running_localaws
from postrank.warehouse.connection import Login, Server, connect, fixed
from postrank.warehouse.loader import Loader
from postrank.warehouse.objects import Objects
from postrank.warehouse.schema import migrate

STATEMENTS = Path(__file__).resolve().parents[3] / "include" / "postgres"


COLUMNS = "granularity, window_start, window_end, rank, network, author_id, author_handle, author_name, posts, share"


def stored_rows(connection):
    """The rows of `rankings`, as the JSON form of an export has them."""
    rows = connection.execute(f"select {COLUMNS}, previous_rank, peak_60s, revision from rankings").fetchall()
    return sorted((_as_json(row) for row in rows), key=str)


def exported_rows(results, run):
    """The rows of a run's export."""
    rows = [row for name in ("minute", "hour", "day", "all") for row in results.rows(name, run)]
    return sorted((list(row.values()) for row in rows), key=str)


def _as_json(row):
    return [f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value for value in row]


def statement(name):
    return (STATEMENTS / f"{name}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def warehouse_aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(scope="session")
def instance(warehouse_aws):
    return create(warehouse_aws, "warehouse", DBName="postrank")


@pytest.fixture(scope="session")
def server(instance):
    endpoint = instance["Endpoint"]
    return Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")


@pytest.fixture(scope="session")
def credentials():
    return fixed(Login(user="keeper", password=PASSWORD))


@pytest.fixture(scope="session")
def migrated(server, credentials):
    with connect(server, credentials) as connection:
        return migrate(connection)


@pytest.fixture
def database(server, credentials, migrated):
    """A connection; the tables are empty."""
    with connect(server, credentials) as connection:
        query = "select string_agg(tablename, ', ') from pg_tables where schemaname = 'public' and tablename <> %s"
        (names,) = connection.execute(query, ("alembic_version",)).fetchone()
        connection.execute(f"truncate {names}")
        yield connection


@pytest.fixture
def bucket(warehouse_aws, request):
    name = f"results-{abs(hash(request.node.nodeid)):x}"
    warehouse_aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3(warehouse_aws):
    return warehouse_aws.client("s3")


@pytest.fixture
def loader(database, server, credentials, s3, bucket):
    return Loader(connect=lambda: connect(server, credentials), statement=statement, objects=Objects(s3, bucket))
