"""Tables on the Trino engine: written and read through the local Glue and S3."""

import pytest
from botocore.exceptions import ClientError

from localaws.testing.athena.queries import DATA, RESULTS, Queries
from localaws.testing.patience import patient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(900))]


@pytest.fixture(scope="module")
def posts(queries: Queries) -> str:
    """A table of JSON lines in two partitions."""
    rows = {
        "day=1/a.json.gz": [{"author": "ann", "likes": 1}, {"author": "bob", "likes": 2}],
        "day=2/b.json": [{"author": "ann", "likes": 3}],
    }
    return queries.json_table("author string, likes bigint", rows, "day string")


def test_a_query_reads_and_charges_the_partitions_that_it_needs(queries: Queries, posts):
    whole = queries.ok(f"select author, sum(likes) from {posts} group by 1 order by 1")
    assert queries.result(whole) == (["author", "_col1"], [["ann", "4"], ["bob", "2"]])
    one_day = queries.ok(f"select count(*) from {posts} where day = '2'")
    assert queries.result(one_day)[1] == [["1"]]
    assert 0 < one_day["Statistics"]["DataScannedInBytes"] < whole["Statistics"]["DataScannedInBytes"]


@pytest.mark.parametrize("form", ["PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"])
def test_ctas_insert_and_unload_write_every_format(queries: Queries, posts, form):
    table = queries.name()
    ctas = queries.ok(
        f"create table {table} with (format = '{form}', partitioned_by = array['day'])"
        f" as select author, likes, day from {posts}"
    )
    assert len(_manifest(queries, ctas)) == 2
    insert = queries.ok(f"insert into {table} values ('cyd', 9, '3')")
    assert len(_manifest(queries, insert)) == 1
    assert queries.rows(f"select author, day from {table} order by likes") == [
        ["ann", "1"], ["bob", "1"], ["ann", "2"], ["cyd", "3"],
    ]  # fmt: skip
    assert queries.rows(f"show partitions {table}") == [["day=1"], ["day=2"], ["day=3"]]
    target = f"s3://{DATA}/unloaded/{table}/"
    unload = queries.ok(f"unload (select author, likes from {table}) to '{target}' with (format = '{form}')")
    assert all(address.startswith(target) for address in _manifest(queries, unload))
    assert "PATH_ALREADY_EXISTS" in queries.failure(f"unload (select 1 as a) to '{target}' with (format = '{form}')")


def test_unload_leaves_nothing_in_the_catalogue(queries: Queries, posts):
    target = f"s3://{DATA}/traceless/"
    before = queries.rows("show tables")
    queries.ok(f"unload (select * from {posts}) to '{target}' with (format = 'PARQUET')")
    assert queries.rows("show tables") == before
    assert "localaws_unload" not in str(queries.rows("show databases"))


def test_more_than_100_partitions_are_refused(queries: Queries):
    sql = (
        "create table {} with (partitioned_by = array['n']) as select 1 as a, x as n from unnest(sequence(1, 101)) t(x)"
    )
    assert queries.failure(sql.format(queries.name())).startswith("HIVE_TOO_MANY_OPEN_PARTITIONS")


def test_iceberg_tables_are_created_changed_and_read_back_in_time(queries: Queries):
    table = queries.name("iceberg")
    queries.ok(
        f"create table {table} (id int, at timestamp, text string) partitioned by (day(at), bucket(4, id))"
        f" location 's3://{DATA}/{table}/' tblproperties ('table_type' = 'ICEBERG', 'format' = 'parquet')"
    )
    at = "timestamp '2024-01-01 00:00:00'"
    queries.ok(f"insert into {table} values (1, {at}, 'a'), (2, {at}, 'b')")
    snapshot = queries.rows(f'select snapshot_id from "{table}$snapshots" order by committed_at desc limit 1')[0][0]
    merge = queries.ok(
        f"merge into {table} t using (values (2, 'B'), (3, 'C')) s (id, text) on t.id = s.id"
        f" when matched then update set text = s.text"
        f" when not matched then insert (id, at, text) values (s.id, {at}, s.text)"
    )
    bucket, _, key = merge["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    assert queries.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] == 0
    result = queries.client("athena").get_query_results(QueryExecutionId=merge["QueryExecutionId"])
    assert result["UpdateCount"] == 2
    assert [column["Name"] for column in result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == ["rows"]
    queries.ok(f"update {table} set text = 'A' where id = 1")
    queries.ok(f"delete from {table} where id = 3")
    expected = [["1", "A"], ["2", "B"]]
    assert queries.rows(f"select id, text from {table} order by id") == expected
    assert queries.rows(f"select id, text from {table} for version as of {snapshot} order by id") == [
        ["1", "a"], ["2", "b"],
    ]  # fmt: skip
    queries.ok(f"alter table {table} add columns (likes bigint)")
    assert [row[0].split()[0] for row in queries.rows(f"describe {table}")] == ["id", "at", "text", "likes"]
    columns = queries.client("glue").get_table(DatabaseName="tests", Name=table)["Table"]["StorageDescriptor"][
        "Columns"
    ]
    fields = [{name: value for name, value in column["Parameters"].items() if "field" in name} for column in columns]
    assert fields == [
        {"iceberg.field.current": "true", "iceberg.field.id": str(number), "iceberg.field.optional": "true"}
        for number in range(1, 5)
    ]
    queries.ok(f"optimize {table} rewrite data using bin_pack")
    queries.ok(f"alter table {table} set tblproperties ('vacuum_max_snapshot_age_seconds' = '0')")
    queries.ok(f"vacuum {table}")
    assert queries.rows(f'select count(*) from "{table}$snapshots"') == [["1"]]
    assert queries.rows(f"select id, text from {table} order by id") == expected
    queries.ok(f"drop table {table}")
    listing = queries.client("s3").list_objects_v2(Bucket=DATA, Prefix=f"{table}/")
    assert listing["KeyCount"] == 0


def test_an_iceberg_table_is_made_of_a_query(queries: Queries, posts):
    table = queries.name("iceberg")
    queries.ok(
        f"create table {table} with (table_type = 'ICEBERG', is_external = false, location = 's3://{DATA}/{table}/',"
        f" partitioning = array['day']) as select * from {posts}"
    )
    assert queries.rows(f"select count(*), max(day) from {table}") == [["3", "2"]]
    described = queries.client("glue").get_table(DatabaseName="tests", Name=table)["Table"]
    assert described["Parameters"]["table_type"].upper() == "ICEBERG"


def test_a_workgroup_that_enforces_a_location_leaves_iceberg_tables_theirs(queries: Queries):
    athena = queries.client("athena")
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/enforced/"}}
    athena.create_work_group(Name="enforced", Configuration=configuration)
    table = queries.name("iceberg")
    create = f"create table {table} with ({{}} = 's3://{DATA}/{table}/'{{}}) as select 1 as a"
    with pytest.raises(ClientError, match="enforces a centralized output location"):
        queries.run(create.format("external_location", ""), WorkGroup="enforced")
    queries.ok(create.format("location", ", table_type = 'ICEBERG', is_external = false"), WorkGroup="enforced")
    assert queries.rows(f"select a from {table}") == [["1"]]


def test_views_are_those_of_athena(queries: Queries, posts):
    view = queries.name("view")
    queries.ok(f"create view {view} as select author, count(*) as posts from {posts} group by 1")
    assert queries.rows(f"select posts from {view} where author = 'ann'") == [["2"]]
    assert [row[0].split()[0] for row in queries.rows(f"describe {view}")] == ["author", "posts"]


def test_information_schema_lists_the_catalogue(queries: Queries, posts):
    rows = queries.rows(f"select column_name from information_schema.columns where table_name = '{posts}'")
    assert sorted(rows) == [["author"], ["day"], ["likes"]]


def test_parameters_are_values(queries: Queries, posts):
    rows = queries.rows(f"select likes from {posts} where author = ? and day = ?", ["'ann'", "'1'"])
    assert rows == [["1"]]
    assert queries.rows("select ?", ["'it''s'"]) == [["it's"]]
    assert queries.rows(f"select likes from {posts} where author = ?", ["bob"]) == [["2"]]  # a bare word is text


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("select\n  foo(1)", "line 2:3"),
        ("create table absent_1 as\nselect 1 as a,\n foo(1) as b", "line 3:2"),
        ("create table absent_2 as select foo(1) as b", "line 1:33"),
        ("unload (select foo(1) as b) to 's3://athena-data/absent/' with (format = 'JSON')", "line 1:16"),
    ],
)
def test_errors_name_the_place_in_the_callers_text(queries: Queries, sql, place):
    assert queries.failure(sql).startswith(f"FUNCTION_NOT_FOUND: {place}: ")


def test_syntax_errors_are_refused_before_a_statement_starts(queries: Queries):
    assert queries.refusal("select 1 as").startswith("line 1:12: mismatched input '<EOF>'")
    assert "mismatched input" in queries.refusal("merge into t using s")


def test_a_cutoff_cancels_a_query_that_reads_more(queries: Queries):
    rows = [{"n": number, "text": "x" * 100} for number in range(150_000)]
    table = queries.json_table("n bigint, text string", {"a.json": rows})
    queries.client("athena").create_work_group(
        Name="frugal", Configuration={"BytesScannedCutoffPerQuery": 10_000_000, "EnforceWorkGroupConfiguration": False}
    )
    execution = queries.run(f"select sum(n), max(text) from {table}", WorkGroup="frugal")
    assert execution["Status"]["State"] == "CANCELLED"
    assert execution["Status"]["StateChangeReason"] == "Bytes scanned limit was exceeded"


def _manifest(queries: Queries, execution) -> list[str]:
    bucket, _, key = execution["Statistics"]["DataManifestLocation"].removeprefix("s3://").partition("/")
    return queries.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().split()
