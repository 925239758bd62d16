"""What Athena refuses is refused in its words and categories ("Athena error catalog", "Troubleshooting in Athena")."""

import pytest
from botocore.exceptions import ClientError

from localaws.services.athena.sql.failures import QueryFailed
from localaws.testing.athena.queries import DATA, RESULTS


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select nope from (select 1 as a)", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        ("select a\nfrom (select 1 as a)\nwhere nope = 1", "COLUMN_NOT_FOUND: line 3:7: Column 'nope'"),
        ("select * from nowhere", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.tests.nowhere' does not exist"),
        ("select * from nodb.nowhere", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nodb' does not exist"),
        ("select 1, nofunc(2)", "FUNCTION_NOT_FOUND: line 1:11: Function 'nofunc' not registered"),
        ("select 1 as a, a + 1 as b", "COLUMN_NOT_FOUND: line 1:16: Column 'a'"),
        ("select x as a from (select 1 as x) where a = 1", "COLUMN_NOT_FOUND: line 1:42: Column 'a'"),
        ("with c as (select 1 as x) select x as a, count(*) from c group by a", "COLUMN_NOT_FOUND"),
        ("select n from (select 1 as n) where n <> 'x'", "TYPE_MISMATCH"),
        ("select n from (select 1 as n) where n in ('1', '2')", "TYPE_MISMATCH"),
        ("select t from (select timestamp '2020-01-01 00:00:00' as t) where t > '2020-01-01'", "TYPE_MISMATCH"),
        ("select cast('x' as bigint)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT"),
        ("select 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("select array[1][2]", "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length"),
        ("select map(array['a'], array[1])['b']", "INVALID_FUNCTION_ARGUMENT: Key not present in map: b"),
        ("select cast('yes' as timestamp(3))", "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: yes"),
        ("select array[1][0]", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("select element_at(array[1], 0)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("select split_part('a', ',', 0)", "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero"),
        ("select map(array['a', 'a'], array[1, 2])", "INVALID_FUNCTION_ARGUMENT: Duplicate map keys"),
        ("select date '2020-01-01' + interval '36' hour", "INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or"),
        (
            "select d + 1 from (values date '2020-01-01') as t (d)",
            "TYPE_MISMATCH: line 1:10: Cannot apply operator: date + integer",
        ),
        ("select (select x from (values 1, 2) as u (x))", "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned"),
        ("select 9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
        ("select sum(x) from (values 9223372036854775807, 1) as t (x)", "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition"),
        ("select random(-1)", "INVALID_FUNCTION_ARGUMENT: bound must be positive"),
        ("select random(3, 3)", "INVALID_FUNCTION_ARGUMENT: start value must be less than stop value"),
        ("select cast(99999 as smallint)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ],
)
def test_a_query_fails_with_athenas_reason(queries, sql, reason):
    result = queries.run(sql)
    assert result["Status"]["StateChangeReason"].startswith(reason)
    assert result["Status"]["AthenaError"]["ErrorCategory"] == 2


@pytest.mark.parametrize(
    "sql",
    [
        "select checksum(x) from (values 1e0, 2e0, 4e0) as t (x)",
        "select * from (values 1) as t (n) natural join (values 1) as u (n)",
        "merge into t using u on t.a = u.a when matched then delete",
        "update t set a = 1",
        "delete from t where a = 1",
        "create table t (a int) location 's3://athena-data/t/' tblproperties ('table_type' = 'ICEBERG')",
        "create table t with (format = 'AVRO') as select 1 as a",
        "optimize t rewrite data using bin_pack",
        "vacuum t",
        "select * from (select 1 as a) tablesample bernoulli (10)",
        "create table t with (format = 'ORC') as select 1 as a",
        "create table t with (table_type = 'ICEBERG') as select 1 as a",
        "select * from table(sequence(1, 2))",
        "select * from (values 1) as t (x) match_recognize (pattern (a) define a as true)",
        "select json_value('{}', 'lax $.a')",
        "select cast('2020-01-01 00:00:00.1234567' as timestamp(9))",
        "select word_stem('running')",
        "select bar(0.5, 10)",
    ],
)
def test_what_the_local_engine_does_not_do_as_athena_is_not_supported(queries, sql):
    assert queries.refusal(sql).startswith("NOT_SUPPORTED")


@pytest.mark.parametrize(
    "sql",
    [
        "selec 1",
        "select",
        "select 1 from",
        "select 'a",
        "select (1",
        ";",
        "select 1; select 2",
        "drop",
        "show",
        "alter table t",
    ],
)
def test_a_malformed_statement_does_not_start(queries, sql):
    with pytest.raises(ClientError) as caught:
        queries.start(sql)
    assert caught.value.response["Error"]["Code"] in ("InvalidRequestException", "ParamValidation")


def test_a_statement_is_taken_up_to_its_last_byte(queries):
    """Page "Service Quotas": a query string of 262,144 bytes."""
    text = f"select length('{'ü' * 131_062}')"
    statement = text + " " * (262_144 - len(text.encode()))
    assert queries.result(queries.ok(statement))[1] == [["131062"]]
    with pytest.raises(ClientError) as caught:
        queries.start(statement + " ")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_sql_of_another_engine_cannot_reach_the_machine(queries):
    for sql in (
        "select * from read_csv('/etc/passwd')",
        "select read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
    ):
        assert queries.refusal(sql)
    assert queries.failure("""select * from "/etc/passwd" """).startswith("TABLE_NOT_FOUND")
    assert queries.failure("select * from duckdb_settings").startswith("TABLE_NOT_FOUND")


def test_parameters_are_values_never_text(queries):
    assert queries.rows("select ?, ? + 1", ["'it''s; drop table x'", "41"]) == [["it's; drop table x", "42"]]
    assert queries.rows("select x from (values 1, 2, 3) as t (x) where x > ? and x < ?", ["1", "3"]) == [["2"]]
    assert queries.rows("select ?", ["a"]) == [["a"]]  # a bare word is text, as clients send it
    for wrong in (["1"], ["1 from x", "2"], ["a.b", "1"], ["(select 1)", "1"]):
        with pytest.raises(ClientError):
            queries.start("select ?, ?", wrong)


def test_a_missing_bucket_and_a_missing_place_are_said(queries):
    table = queries.name()
    queries.ok(
        f"create external table {table} (a string) row format serde 'org.openx.data.jsonserde.JsonSerDe'"
        " location 's3://no-such-bucket/x/'"
    )
    assert "bucket does not exist" in queries.failure(f"select * from {table}")
    with pytest.raises(ClientError, match="No output location provided"):
        queries.start("select 1", ResultConfiguration={})


def test_a_workgroup_that_enforces_its_place_refuses_another(queries):
    athena = queries.client("athena")
    athena.create_work_group(
        Name="strict",
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/strict/"},
        },
    )
    result = queries.ok("select 1", WorkGroup="strict")
    assert result["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{RESULTS}/strict/")
    with pytest.raises(ClientError, match="external_location"):
        queries.start(
            f"create table x with (external_location = 's3://{DATA}/x/') as select 1 as a", WorkGroup="strict"
        )


def test_errors_of_iceberg_have_the_catalogs_type_by_which_clients_try_again():
    assert QueryFailed("ICEBERG_COMMIT_ERROR", "Failed to commit").type == 233
    assert QueryFailed("TABLE_NOT_FOUND", "no such table").type == 1006
