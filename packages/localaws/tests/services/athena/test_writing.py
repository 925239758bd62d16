"""CTAS, INSERT INTO and UNLOAD write what Athena writes, where it writes it ("CREATE TABLE AS", "UNLOAD")."""

import gzip
import io
import json

import pyarrow.parquet
import pytest

from localaws.testing.athena.queries import DATA


def _objects(queries, prefix):
    result = queries.client("s3").list_objects_v2(Bucket=DATA, Prefix=prefix).get("Contents", [])
    keys = [entry["Key"] for entry in result]
    return {key: queries.client("s3").get_object(Bucket=DATA, Key=key)["Body"].read() for key in keys}


def test_ctas_writes_typed_parquet_from_json(queries):
    rows = [{"id": "1", "at": "2026-01-01T00:00:00.123Z", "tags": ["x", "y"]}]
    source, target = queries.json_table("id string, at string, tags array<string>", {"a.gz": rows}), queries.name()
    done = queries.ok(
        f"create table {target} with (format = 'PARQUET', write_compression = 'ZSTD', external_location = 's3://{DATA}/{target}/')"
        " as select id, cast(from_iso8601_timestamp(at) at time zone 'UTC' as timestamp(3)) as at, tags,"
        f" cast(null as varchar) as lang, count(*) over () as n from {source}"
    )
    assert done["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    (body,) = _objects(queries, f"{target}/").values()
    chunk = pyarrow.parquet.ParquetFile(io.BytesIO(body)).metadata.row_group(0).column(0)
    assert chunk.compression == "ZSTD"
    assert queries.rows(f"select * from {target}") == [["1", "2026-01-01 00:00:00.123", "[x, y]", None, "1"]]
    retained = queries.client("glue").get_table(DatabaseName="tests", Name=target)["Table"]["StorageDescriptor"]
    assert [column["Type"] for column in retained["Columns"]] == [
        "string",
        "timestamp",
        "array<string>",
        "string",
        "bigint",
    ]


def test_ctas_partitions_by_the_last_columns(queries):
    target = queries.name()
    queries.ok(
        f"create table {target} with (external_location = 's3://{DATA}/{target}/', partitioned_by = array['day', 'k'])"
        " as select n, day, k from (values (1, '2026-01-01', 'a:b'), (2, '2026-01-02', null)) as t (n, day, k)"
    )
    assert {key.rpartition("/")[0].removeprefix(f"{target}/") for key in _objects(queries, f"{target}/")} == {
        "day=2026-01-01/k=a%3Ab",
        "day=2026-01-02/k=__HIVE_DEFAULT_PARTITION__",
    }
    assert queries.rows(f"select n, day, k from {target} order by n") == [
        ["1", "2026-01-01", "a:b"],
        ["2", "2026-01-02", None],
    ]


def test_ctas_without_a_place_writes_below_the_results(queries):
    target = queries.name()
    done = queries.ok(f"create table {target} as select 1 as a")
    location = queries.client("glue").get_table(DatabaseName="tests", Name=target)["Table"]["StorageDescriptor"][
        "Location"
    ]
    assert location == f"s3://athena-results/out/tables/{done['QueryExecutionId']}/"
    assert done["Statistics"]["DataManifestLocation"].endswith("-manifest.csv")


def test_ctas_refuses_a_place_that_is_not_empty(queries):
    folder = queries.put(f"{queries.name()}/old", b"x")
    reason = queries.failure(f"create table {queries.name()} with (external_location = '{folder}') as select 1 as a")
    assert reason.startswith("HIVE_PATH_ALREADY_EXISTS: Target directory for table 'tests.")


@pytest.mark.parametrize(("partitions", "fails"), [(100, False), (101, True)])
def test_a_statement_writes_at_most_100_partitions(queries, partitions, fails):
    target = queries.name()
    sql = (
        f"create table {target} with (external_location = 's3://{DATA}/{target}/', partitioned_by = array['p'])"
        f" as select x as n, cast(x as varchar) as p from unnest(sequence(1, {partitions})) as t (x)"
    )
    if fails:
        assert queries.failure(sql).startswith("HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers")
        assert _objects(queries, f"{target}/") == {}
    else:
        queries.ok(sql)
        assert queries.rows(f"select count(*) from {target}") == [["100"]]


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("select 1", "MISSING_COLUMN_NAME"),
        ("select 1 as a, 2 as a", "DUPLICATE_COLUMN_NAME"),
        ("select from_unixtime(0) as a", "NOT_SUPPORTED"),
    ],
)
def test_ctas_refuses_columns_that_no_table_can_have(queries, select, reason):
    assert queries.failure(f"create table {queries.name()} as {select}").startswith(reason)


def test_ctas_refuses_partition_columns_that_are_not_last(queries):
    sql = f"create table {queries.name()} with (partitioned_by = array['a']) as select 1 as a, 2 as b"
    assert queries.failure(sql).startswith("HIVE_COLUMN_ORDER_MISMATCH")


def test_insert_adds_rows_and_partitions(queries):
    target = queries.name()
    queries.ok(
        f"create table {target} with (external_location = 's3://{DATA}/{target}/', partitioned_by = array['day'])"
        " as select 1 as n, 'a' as day"
    )
    done = queries.ok(f"insert into {target} (day, n) values ('b', 2), ('a', 3)")
    assert queries.client("athena").get_query_results(QueryExecutionId=done["QueryExecutionId"])["UpdateCount"] == 2
    assert queries.rows(f"select day, n from {target} order by n") == [["a", "1"], ["b", "2"], ["a", "3"]]


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("format = 'JSON'", lambda body: [json.loads(line) for line in gzip.decompress(body).splitlines()]),
        (
            "format = 'TEXTFILE', field_delimiter = ',', compression = 'GZIP'",
            lambda body: [
                dict(zip("ab", (int(x), y), strict=True))
                for x, y in (line.split(",") for line in gzip.decompress(body).decode().splitlines())
            ],
        ),
        ("format = 'PARQUET'", lambda body: pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()),
    ],
)
def test_unload_writes_files_without_a_table(queries, form, read):
    folder = queries.name("u")
    queries.ok(f"unload (select 1 as a, 'x' as b) to 's3://{DATA}/{folder}/' with ({form})")
    (body,) = _objects(queries, f"{folder}/").values()
    assert read(body) == [{"a": 1, "b": "x"}]
    again = f"unload (select 1 as a) to 's3://{DATA}/{folder}/' with ({form})"
    assert queries.failure(again).startswith("HIVE_PATH_ALREADY_EXISTS")


def test_parquet_is_charged_for_the_columns_that_are_read(queries):
    target = queries.name()
    queries.ok(
        f"create table {target} with (external_location = 's3://{DATA}/{target}/') as select x as n,"
        " to_hex(sha256(to_utf8(cast(x as varchar)))) as wide from unnest(sequence(1, 5000)) as t (x)"
    )
    wide, narrow, none = (
        queries.ok(f"select {what} from {target}")["Statistics"]["DataScannedInBytes"]
        for what in ("max(wide)", "max(n)", "count(*)")
    )
    assert 0 == none < narrow < wide / 5
    assert (
        queries.ok(f"select max(n) from {target} where wide = 'x'")["Statistics"]["DataScannedInBytes"] == wide + narrow
    )
