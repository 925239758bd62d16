"""External tables are read as their catalogue entries say ("Create tables in Athena", "Partition your data")."""

import gzip

import pytest
from botocore.exceptions import ClientError

from localaws.testing.athena.queries import DATA

POSTS = [{"id": "1", "n": 10, "tags": ["a", "b"], "by": {"name": "x"}}, {"id": "2", "n": None, "tags": []}]


def test_reads_json_lines_with_nested_columns(queries):
    table = queries.json_table(
        "id string, n bigint, tags array<string>, `by` struct<name:string>, absent string", {"a.ndjson.gz": POSTS}
    )
    assert queries.rows(f'select id, n, tags, "by".name, absent from {table} order by id') == [
        ["1", "10", "[a, b]", "x", None],
        ["2", None, "[]", None, None],
    ]


@pytest.mark.parametrize("extension", ["", ".gz"])
def test_tells_compression_by_extension(queries, extension):
    table = queries.json_table("id string", {f"a.json{extension}": POSTS})
    assert queries.rows(f"select count(*) from {table}") == [["2"]]


def test_reads_members_of_one_gzip_object_to_the_end(queries):
    name = queries.json_table("id string", {"one.gz": POSTS})
    queries.put(f"{name}/two.gz", gzip.compress(b'{"id":"3"}\n') + gzip.compress(b'{"id":"4"}\n'))
    assert queries.rows(f"select count(*) from {name}") == [["4"]]


def test_hidden_objects_are_no_data(queries):
    table = queries.json_table("id string", {"a.json": POSTS})
    queries.put(f"{table}/_SUCCESS", b"no json")
    queries.put(f"{table}/.part", b"no json")
    assert queries.rows(f"select count(*) from {table}") == [["2"]]


def test_a_truncated_gzip_object_fails_the_query(queries):
    table = queries.json_table("id string", {"a.gz": POSTS})
    queries.put(f"{table}/b.gz", gzip.compress(b'{"id":"3"}\n' * 1000)[:-20])
    assert queries.failure(f"select count(id) from {table}").startswith("HIVE_CURSOR_ERROR")


def test_a_line_that_is_no_json_fails_the_query_unless_the_table_ignores_it(queries):
    table = queries.json_table("id string", {"a.json": POSTS})
    queries.put(f"{table}/b.json", b"{broken\n")
    assert queries.failure(f"select id from {table}").startswith(
        f"HIVE_BAD_DATA: Error Parsing Row for {table}/b.json, line 1:"
    )
    tolerant = queries.name()
    queries.ok(
        f"create external table {tolerant} (id string) row format serde 'org.openx.data.jsonserde.JsonSerDe'"
        f" with serdeproperties ('ignore.malformed.json' = 'true') location 's3://{DATA}/{table}/'"
    )
    assert queries.rows(f"select count(*), count(id) from {tolerant}") == [["3", "2"]]


def test_keys_of_json_are_found_whatever_their_case(queries):
    table = queries.json_table("postid string, n bigint", {"a.json": [{"postId": "1", "N": 2}]})
    assert queries.rows(f"select postid, n from {table}") == [["1", "2"]]
    queries.put(f"{table}/b.json", [{"postid": "3"}])
    assert sorted(queries.rows(f"select postid, n from {table}")) == [["1", "2"], ["3", None]]


def test_reads_only_the_partitions_that_the_condition_leaves(queries):
    rows = {f"dt=2026-01-0{day}/hour=0{hour}/a.json": [{"n": day * 10 + hour}] for day in (1, 2) for hour in (3, 4)}
    table = queries.json_table("n bigint", rows, keys="dt string, hour string")
    whole = queries.ok(f"select sum(n) from {table}")["Statistics"]["DataScannedInBytes"]
    item = queries.ok(f"select sum(n) from {table} where dt = '2026-01-02' and hour = '03'")
    assert item["Statistics"]["DataScannedInBytes"] * 4 == whole
    assert queries.result(item)[1] == [["23"]]


@pytest.mark.parametrize(
    "sql",
    [
        "with c as (select *, row_number() over (partition by dt order by n) as r from {t})"
        " select n from c where dt = '2' and r = 1",
        "select n from (select n, dt as d from {t}) where d in ('2')",
        "select x.n from {t} as x inner join (values '2') as v (k) on x.dt = v.k and x.dt = '2'",
        "select n from (select n, dt from {t} where n > 0 union all select n, dt from {t} where n < 0) where dt = '2'",
        "select max(n) from (select dt, max(n) as n from {t} group by dt) where dt = '2'",
        "select n from (select * from {t}) as s where s.dt = '2'",
    ],
)
def test_conditions_reach_the_partitions_of_inner_queries(queries, sql):
    table = queries.json_table("n bigint", {f"dt={day}/a.json": [{"n": day}] for day in range(1, 6)}, keys="dt string")
    each = queries.ok(f"select n from {table} where dt = '2'")["Statistics"]["DataScannedInBytes"]
    result = queries.ok(sql.format(t=table))
    assert queries.result(result)[1] == [["2"]]
    assert result["Statistics"]["DataScannedInBytes"] == each * sql.count("{t}")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "select count(*) from (select dt, row_number() over (order by n) as r from {t}) where dt = '2' and r = 2",
            "1",
        ),
        ("select count(*) from (values '1', '2') as v (k) left join {t} as x on x.dt = v.k where x.dt is null", "0"),
        ("select count(*) from (select dt from {t} order by n limit 1) where dt = '2'", "0"),
        (
            "select count(*) from {t} as a full outer join {t} as b on a.dt = b.dt and a.dt = '2' where b.dt is null",
            "2",
        ),
    ],
)
def test_conditions_stop_where_they_would_change_the_answer(queries, sql, expected):
    table = queries.json_table("n bigint", {f"dt={day}/a.json": [{"n": day}] for day in (1, 2, 3)}, keys="dt string")
    assert queries.rows(sql.format(t=table)) == [[expected]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("dt in ('1', '3') or k = 20", [1, 2, 3]),
        ("not (dt = '1' and n > 1)", [1, 2, 3, 4]),
        ("dt = '1' or n = 4", [1, 4]),
        ("dt not in ('1', '2') and k between 25 and 35", [3]),
        ("'2' < dt and 40 >= k", [3, 4]),
        ("concat(dt, '/', cast(k as varchar)) in ('2/20', '4/30')", [2]),
        ("dt is null or k is null", [5]),
        ("k <> 10", [2, 3, 4]),
        ("dt in (" + ", ".join(f"'{n}'" for n in range(3, 400)) + ")", [3, 4]),
        ("k in (" + ", ".join(str(n) for n in range(20, 900)) + ") and dt <> '3'", [2, 4]),
    ],
)
def test_conditions_on_keys_choose_rows_as_any_condition_does(queries, condition, expected):
    rows = {f"dt={day}/k={day}0/a.json": [{"n": day}] for day in (1, 2, 3, 4)}
    rows["dt=__HIVE_DEFAULT_PARTITION__/k=__HIVE_DEFAULT_PARTITION__/a.json"] = [{"n": 5}]
    table = queries.json_table("n bigint", rows, keys="dt string, k int")
    assert queries.rows(f"select n from {table} where {condition} order by n") == [[str(n)] for n in expected]


def test_partition_values_have_their_type(queries):
    table = queries.json_table("n bigint", {f"k={k}/a.json": [{"n": k}] for k in (9, 10)}, keys="k int")
    assert queries.rows(f"select n, k from {table} where k > 9") == [["10", "10"]]


def test_shows_the_path_of_a_row(queries):
    table = queries.json_table("n bigint", {"a.json": [{"n": 1}], "b.json": [{"n": 2}]})
    assert queries.rows(f'select n, "$path" from {table} order by n') == [
        ["1", f"s3://{DATA}/{table}/a.json"],
        ["2", f"s3://{DATA}/{table}/b.json"],
    ]
    assert queries.result(queries.ok(f'select *, "$path" from {table} where n = 1'))[0] == ["n", "$path"]


def test_reads_delimited_text(queries):
    folder = queries.put(f"{queries.name()}/a.csv", b"id,n\nx,1\ny,\\N\nz,no\n")
    table = queries.name()
    queries.ok(
        f"create external table {table} (id string, n int) row format delimited fields terminated by ','"
        f" stored as textfile location '{folder}' tblproperties ('skip.header.line.count' = '1')"
    )
    assert queries.rows(f"select * from {table} order by id") == [["x", "1"], ["y", None], ["z", None]]


def test_reads_quoted_text(queries):
    folder = queries.put(f"{queries.name()}/a.csv", b'"a ""quoted"", comma",1\n"",2\n')
    table = queries.name()
    queries.ok(
        f"create external table {table} (t string, n bigint)"
        f" row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde' location '{folder}'"
    )
    assert queries.rows(f"select t, n from {table} order by n") == [['a "quoted", comma', "1"], ["", "2"]]


def test_partitions_are_added_listed_and_dropped(queries):
    table = queries.json_table("n bigint", {"elsewhere/a.json": [{"n": 1}]}, keys="dt string")
    queries.ok(f"alter table {table} add if not exists partition (dt = 'x') location 's3://{DATA}/{table}/elsewhere/'")
    assert queries.rows(f"select n, dt from {table}") == [["1", "x"]]
    assert queries.result(queries.ok(f"show partitions {table}"))[1] == [["dt=x"]]
    queries.ok(f"alter table {table} drop partition (dt = 'x')")
    assert queries.rows(f"select n, dt from {table}") == []
    assert "AlreadyExists" not in queries.ok(f"alter table {table} add partition (dt = 'x')")["Status"]["State"]
    assert queries.failure(f"alter table {table} add partition (dt = 'x')").startswith("DDL: FAILED")


def test_views_are_kept_in_the_catalogue_and_can_be_replaced(queries):
    table = queries.json_table("n bigint", {"a.json": [{"n": 1}, {"n": 2}]})
    view = queries.name("v")
    queries.ok(f"create view {view} as select sum(n) as total from {table}")
    assert queries.rows(f"select total + 1 as more from {view}") == [["4"]]
    queries.ok(
        f"-- a comment\ncreate or replace view {view} as\n"
        f"with c as (select max(n) as top from {table})\nselect top from c"
    )
    assert queries.rows(f"select * from {view}") == [["2"]]
    retained = queries.client("glue").get_table(DatabaseName="tests", Name=view)["Table"]
    assert retained["TableType"] == "VIRTUAL_VIEW"
    assert retained["ViewOriginalText"].startswith("/* Presto View: ")
    queries.ok(f"drop view {view}")
    assert queries.failure(f"select * from {view}").startswith("TABLE_NOT_FOUND")


def test_describes_what_is_there(queries):
    table = queries.json_table("n bigint, tags array<string>", {"dt=1/a.json": POSTS}, keys="dt string")
    assert [row[0].strip() for row in queries.result(queries.ok(f"describe {table}"))[1]][:3] == ["n", "tags", "dt"]
    assert [table] in queries.result(queries.ok("show tables"))[1]
    assert ["tests"] in queries.result(queries.ok("show databases"))[1]
    shown = [row[0] for row in queries.result(queries.ok(f"show create table {table}"))[1]]
    assert shown[0] == f"CREATE EXTERNAL TABLE `{table}`("
    assert "  `tags` array<string>)" in shown
    assert "serialization.format" not in str(shown)


def test_a_bucketed_table_is_described_as_it_was_created(queries):
    table = queries.name()
    queries.ok(
        f"create external table {table} (a varchar(10) comment 'it''s', b int) comment 'two\n  lines'"
        " clustered by (a, b) into 5 buckets"
        " row format delimited fields terminated by '\\t' lines terminated by '\\n'"
        f" location 's3://{DATA}/{table}/'"
        " tblproperties ('classification' = 'csv', 'compressionType' = 'none', 'typeOfData' = 'file')"
    )
    described = queries.client("glue").get_table(DatabaseName="tests", Name=table)["Table"]
    storage = described["StorageDescriptor"]
    assert (storage["BucketColumns"], storage["NumberOfBuckets"]) == (["a", "b"], 5)
    assert storage["SerdeInfo"]["Parameters"] == {
        "field.delim": "\t", "line.delim": "\n", "serialization.format": "\t",
    }  # fmt: skip
    assert described["Parameters"]["comment"] == "two lines"
    shown = [row[0] for row in queries.result(queries.ok(f"show create table {table}"))[1]]
    assert shown[1] == "  `a` varchar(10) COMMENT 'it\\'s', "
    assert "  'field.delim'='\\t', " in shown
    assert shown[3] == "COMMENT 'two lines'"
    assert shown[4:8] == ["CLUSTERED BY ( ", "  a, ", "  b) ", "INTO 5 BUCKETS"]
    properties = [line.strip().partition("=")[0] for line in shown[shown.index("TBLPROPERTIES (") :]]
    own = [name for name in properties if name in ("'classification'", "'compressionType'", "'typeOfData'")]
    assert own == ["'compressionType'", "'classification'", "'typeOfData'"]  # in the order of Java's HashMap
    again = "\n".join(shown).replace(table, f"{table}_again")
    queries.ok(again)
    repeated = queries.client("glue").get_table(DatabaseName="tests", Name=f"{table}_again")["Table"]
    assert (repeated["StorageDescriptor"], repeated["Parameters"]) == (
        {**storage, "Location": f"s3://{DATA}/{table}_again"}, described["Parameters"],
    )  # fmt: skip
    described_rows = queries.result(queries.ok(f"describe {table}"))[1]
    assert [cell.strip() for cell in described_rows[0]] == ["a", "varchar(10)", "it's"]
    assert "not supported on bucketed tables" in queries.failure(f"insert into {table} values ('x', 1)")


def test_buckets_are_of_columns_of_the_table(queries):
    create = "create external table nothing (a int) clustered by (b) into 5 buckets location 's3://athena-data/x/'"
    assert "Invalid column reference b" in queries.failure(create)
    with pytest.raises(ClientError, match="mismatched input '0'"):
        queries.run(create.replace("5", "0"))


def test_projects_partitions_from_the_tables_properties(queries):
    name = queries.name()
    for day in ("2026-01-01", "2026-01-02"):
        queries.put(f"{name}/{day}/eu/a.json", [{"n": int(day[-1])}])
    queries.ok(
        f"create external table {name} (n bigint) partitioned by (dt string, region string)"
        f" row format serde 'org.openx.data.jsonserde.JsonSerDe' location 's3://{DATA}/{name}/' tblproperties ("
        "'projection.enabled' = 'true', 'projection.dt.type' = 'date', 'projection.dt.range' = '2026-01-01,2026-01-05',"
        "'projection.dt.format' = 'yyyy-MM-dd', 'projection.region.type' = 'enum',"
        "'projection.region.values' = 'eu,us',"
        f"'storage.location.template' = 's3://{DATA}/{name}/${{dt}}/${{region}}/')"
    )
    assert queries.rows(f"select sum(n), count(distinct dt) from {name}") == [["3", "2"]]
    assert queries.rows(f"select n, dt, region from {name} where dt = '2026-01-02'") == [["2", "2026-01-02", "eu"]]


@pytest.mark.parametrize("form", ["rcfile"])
def test_a_table_of_a_format_that_is_not_read_is_kept_and_refused(queries, form):
    table = queries.name()
    queries.put(f"{table}/object", b"x")
    queries.ok(f"create external table {table} (a int) stored as {form} location 's3://{DATA}/{table}/'")
    assert queries.failure(f"select * from {table}").startswith("HIVE_UNSUPPORTED_FORMAT")


def test_an_injected_partition_is_read_where_the_query_names_it(queries):
    name = queries.name()
    queries.put(f"{name}/a/object", b'{"n": 1}\n')
    queries.put(f"{name}/b/object", b'{"n": 2}\n')
    queries.ok(
        f"create external table {name} (n bigint) partitioned by (device string)"
        f" row format serde 'org.openx.data.jsonserde.JsonSerDe' location 's3://{DATA}/{name}/' tblproperties ("
        "'projection.enabled' = 'true', 'projection.device.type' = 'injected',"
        f"'storage.location.template' = 's3://{DATA}/{name}/${{device}}/')"
    )
    assert queries.rows(f"select n from {name} where device = 'b'") == [["2"]]
    assert queries.rows(f"select sum(n) from {name} where device in ('a', 'b')") == [["3"]]
    assert queries.failure(f"select n from {name}").startswith("CONSTRAINT_VIOLATION: For the injected projected")


def test_information_schema_lists_what_the_catalogue_holds(queries):
    table = queries.name()
    queries.ok(f"create external table {table} (n int, tags array<string>) location 's3://{DATA}/{table}/'")
    columns = f"from information_schema.columns where table_name = '{table}' order by ordinal_position"
    assert queries.rows(f"select column_name, data_type {columns}") == [["n", "integer"], ["tags", "array(varchar)"]]
    kind = f"select table_type from information_schema.tables where table_name = '{table}'"
    assert queries.rows(kind) == [["BASE TABLE"]]
    assert queries.failure("select * from information_schema.nothing").startswith("TABLE_NOT_FOUND: line 1:15")
