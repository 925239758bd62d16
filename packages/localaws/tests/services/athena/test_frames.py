"""Data frames written and read through PyAthena and SQLAlchemy, and DuckDB on the objects below."""

import duckdb
import pandas as pd
import pytest
import sqlalchemy
from pyarrow import dataset, fs

from localaws.testing.athena.queries import DATA, DATABASE, RESULTS

FRAME = pd.DataFrame({"id": [1, 2, 3], "author": ["ann", "b'ob", None], "score": [1.5, None, 2.5]})


@pytest.fixture
def engine(aws, queries, monkeypatch):
    """An engine of SQLAlchemy, as PyAthena's documentation makes one."""
    for name, value in aws.root_environment.items():
        monkeypatch.setenv(name, value)
    results = f"s3_staging_dir=s3://{RESULTS}/out/&location=s3://{DATA}/frames/&file_format=parquet"
    engine = sqlalchemy.create_engine(f"awsathena+rest://@athena.us-east-1.amazonaws.com:443/{DATABASE}?{results}")
    yield engine
    engine.dispose()


@pytest.mark.filterwarnings("ignore")
def test_a_frame_is_written_with_to_sql_and_read_with_read_sql(engine, queries):
    table = queries.name("frame")
    FRAME.to_sql(table, engine, index=False, method="multi")
    rows = pd.read_sql(f"select id, author, score from {table} order by id", engine)
    assert rows["id"].tolist() == [1, 2, 3]
    assert rows["author"].tolist()[:2] == ["ann", "b'ob"]
    assert rows["score"].sum() == 4.0
    assert pd.read_sql_table(table, engine).shape == (3, 3)


def test_duckdb_reads_what_athena_wrote(aws, queries):
    location = f"s3://{DATA}/{queries.name('duck')}"
    queries.ok(
        f"create table {queries.name('written')} with (format = 'PARQUET', external_location = '{location}/')"
        " as select * from (values (1, 'a'), (2, 'b')) as t(id, text)"
    )
    files = fs.S3FileSystem(
        access_key=aws.root.key,
        secret_key=aws.root.secret,
        region="us-east-1",
        scheme="http",
        endpoint_override=aws.endpoint.removeprefix("http://"),
    )
    with duckdb.connect() as connection:
        connection.register("lake", dataset.dataset(location.removeprefix("s3://"), filesystem=files))
        rows = connection.execute("select * from lake order by id").fetchall()
    assert rows == [(1, "a"), (2, "b")]
