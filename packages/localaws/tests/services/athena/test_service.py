"""Executions, results, workgroups and saved statements over the API ("Amazon Athena API Reference")."""

import csv
import io

import pytest
from botocore.exceptions import ClientError

from localaws.testing.athena.queries import DATA, DATABASE, ENDLESS, RESULTS
from localaws.testing.waiting import wait_for


def _object(queries, address):
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return queries.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def test_results_lie_as_quoted_csv_in_the_output_location(queries):
    result = queries.ok("""select 1 as n, 'a "b", c' as t, cast(null as varchar) as x, '' as e, 'two\nlines' as l""")
    address = result["ResultConfiguration"]["OutputLocation"]
    assert address == f"s3://{RESULTS}/out/{result['QueryExecutionId']}.csv"
    body = _object(queries, address).decode()
    assert body == '"n","t","x","e","l"\n"1","a ""b"", c",,"","two\nlines"\n'
    assert list(csv.reader(io.StringIO(body)))[1] == ["1", 'a "b", c', "", "", "two\nlines"]
    assert _object(queries, address + ".metadata")
    assert queries.result(result)[1] == [["1", 'a "b", c', None, "", "two\nlines"]]


def test_columns_have_their_types(queries):
    result = queries.ok(
        "select 1 as a, bigint '1' as b, 'x' as c, 1.50 as d, 1e0 as e, date '2020-01-01' as f,"
        " timestamp '2020-01-01 00:00:00' as g, true as h, array[1] as i,"
        " map(array['a'], array[1]) as j, from_unixtime(0) as k,"
        " cast(row(1) as row(x integer)) as l,"
        " to_utf8('a') as m, count(*) as n, sum(1) as o, cast(1 as real) as p, cast(1 as smallint) as q"
    )
    answer = queries.client("athena").get_query_results(QueryExecutionId=result["QueryExecutionId"])
    info = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [column["Type"] for column in info] == [
        "integer", "bigint", "varchar", "decimal", "double", "date", "timestamp", "boolean", "array", "map",
        "timestamp with time zone", "row", "varbinary", "bigint", "bigint", "float", "smallint",
    ]  # fmt: skip
    assert (info[3]["Precision"], info[3]["Scale"]) == (3, 2)


def test_results_come_in_pages(queries):
    result = queries.ok("select x from unnest(sequence(1, 2500)) as t (x) order by x")
    athena, token, sizes, values = queries.client("athena"), None, [], []
    while True:
        page = athena.get_query_results(
            QueryExecutionId=result["QueryExecutionId"], **({"NextToken": token} if token else {})
        )
        rows = page["ResultSet"]["Rows"]
        sizes.append(len(rows))
        values += [row["Data"][0]["VarCharValue"] for row in rows]
        token = page.get("NextToken")
        if not token:
            break
    assert sizes == [1000, 1000, 501]
    assert values == ["x", *map(str, range(1, 2501))]


def test_a_running_query_can_be_stopped(queries):
    athena, key = queries.client("athena"), queries.start(ENDLESS)
    wait_for(
        lambda: athena.get_query_execution(QueryExecutionId=key)["QueryExecution"]["Status"]["State"] == "RUNNING",
        timeout=20,
        what="the query to run",
    )
    with pytest.raises(ClientError, match="not yet finished"):
        athena.get_query_results(QueryExecutionId=key)
    athena.stop_query_execution(QueryExecutionId=key)
    assert queries.ended(key)["Status"]["State"] == "CANCELLED"
    assert queries.rows("select 1") == [["1"]]


def test_queries_beyond_the_engines_hands_wait_and_all_end(queries):
    keys = [queries.start(f"select {number}") for number in range(12)]
    ended = [queries.result(queries.ended(key))[1] for key in keys]
    assert ended == [[[str(number)]] for number in range(12)]
    assert queries.client("athena").list_query_executions(MaxResults=12)["QueryExecutionIds"] == keys[::-1]


def test_a_query_over_the_workgroups_cut_off_is_cancelled(queries):
    athena = queries.client("athena")
    athena.create_work_group(Name="thrifty", Configuration={"EnforceWorkGroupConfiguration": False})
    athena.update_work_group(WorkGroup="thrifty", ConfigurationUpdates={"BytesScannedCutoffPerQuery": 10_000_000})
    table = queries.json_table("x string", {"a.json": [{"x": "y" * 1000}] * 10_000})
    result = queries.run(f"select count(*) from {table}", WorkGroup="thrifty")
    assert result["Status"]["State"] == "CANCELLED"
    assert result["Status"]["StateChangeReason"] == "Bytes scanned limit was exceeded"
    assert queries.ok("select 1", WorkGroup="thrifty")["WorkGroup"] == "thrifty"
    described = queries.ok(f"create view counted as select count(*) as n from {table}", WorkGroup="thrifty")
    assert described["Statistics"]["DataScannedInBytes"] == 0


def test_an_earlier_result_is_reused_when_asked(queries):
    table = queries.json_table("x string", {"a.json": [{"x": "y"}]})
    young = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    sql = f"select count(*) from {table}"
    first = queries.ok(sql)
    queries.put(f"{table}/b.json", [{"x": "z"}])
    again = queries.ok(sql, ResultReuseConfiguration=young)
    assert again["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] is True
    assert again["Statistics"]["DataScannedInBytes"] == 0
    assert queries.result(again) == queries.result(first)
    assert queries.rows(sql) == [["2"]]


def test_a_request_token_starts_one_query(queries):
    token = "one-request-token-of-more-than-32-signs"
    assert queries.start("select 1", ClientRequestToken=token) == queries.start("select 1", ClientRequestToken=token)
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        queries.start("select 2", ClientRequestToken=token)


def test_workgroups_live_and_die(queries):
    athena = queries.client("athena")
    athena.create_work_group(Name="w", Description="d", Tags=[{"Key": "k", "Value": "v"}])
    arn = "arn:aws:athena:us-east-1:123456789012:workgroup/w"
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    athena.update_work_group(
        WorkGroup="w", State="DISABLED", ConfigurationUpdates={"PublishCloudWatchMetricsEnabled": True}
    )
    result = athena.get_work_group(WorkGroup="w")["WorkGroup"]
    assert (result["State"], result["Configuration"]["PublishCloudWatchMetricsEnabled"]) == ("DISABLED", True)
    with pytest.raises(ClientError, match="disabled"):
        queries.start("select 1", WorkGroup="w")
    athena.delete_work_group(WorkGroup="w")
    assert {"primary"} <= {group["Name"] for group in athena.list_work_groups()["WorkGroups"]}
    with pytest.raises(ClientError, match="WorkGroup w is not found"):
        athena.get_work_group(WorkGroup="w")


def test_prepared_statements_run_with_parameters(queries):
    athena = queries.client("athena")
    athena.create_prepared_statement(StatementName="p", WorkGroup="primary", QueryStatement="select ? || ?")
    assert queries.rows("execute p using 'a, b', 'c'") == [["a, bc"]]
    athena.update_prepared_statement(StatementName="p", WorkGroup="primary", QueryStatement="select 7")
    assert queries.rows("execute p") == [["7"]]
    assert athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"][0]["StatementName"] == "p"
    athena.delete_prepared_statement(StatementName="p", WorkGroup="primary")
    with pytest.raises(ClientError, match="was not found"):
        queries.start("execute p")


def test_parameters_of_the_call_go_to_the_prepared_statement_that_it_executes(queries):
    athena = queries.client("athena")
    athena.create_prepared_statement(StatementName="q", WorkGroup="primary", QueryStatement="select ? || ?")
    assert queries.rows("execute q", ["'a'", "'b'"]) == [["ab"]]
    athena.delete_prepared_statement(StatementName="q", WorkGroup="primary")


def test_a_bare_word_is_a_parameter_of_text(queries):
    assert queries.rows("select ?, typeof(?)", ["Washington", "1"]) == [["Washington", "integer"]]
    with pytest.raises(ClientError, match="must be a constant"):
        queries.start("select ?", ["count(x)"])


def test_the_database_of_a_call_may_be_quoted(queries):
    table = queries.json_table("n bigint", {"a.json": [{"n": 1}]})
    assert queries.rows(f"select n from {table}", QueryExecutionContext={"Database": f"`{DATABASE}`"}) == [["1"]]


def test_the_encryption_of_results_is_shown_as_it_was_asked_for(queries):
    encryption = {"EncryptionOption": "SSE_S3"}
    output = {"OutputLocation": f"s3://{RESULTS}/out/", "EncryptionConfiguration": encryption}
    execution = queries.ok("select 1", ResultConfiguration=output)
    assert execution["ResultConfiguration"]["EncryptionConfiguration"] == encryption


def test_statements_that_write_have_a_column_of_rows(queries):
    table = queries.name()
    queries.ok(f"create table {table} as select 1 as n")
    insert = queries.ok(f"insert into {table} select 2")
    athena = queries.client("athena")
    result = athena.get_query_results(QueryExecutionId=insert["QueryExecutionId"])
    (column,) = result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert (column["Name"], column["Type"], result["UpdateCount"]) == ("rows", "bigint", 1)
    bucket, _, key = insert["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    assert queries.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] == 0


def test_a_plan_has_a_heading(queries):
    result = queries.ok("explain select X'68 65' as a")
    assert queries.result(result)[1][0] == ["Query Plan"]


def test_metadata_of_a_new_table_lies_outside_of_its_folder(queries):
    table = queries.name()
    execution = queries.ok(f"create table {table} as select 1 as a")
    folder, _, key = execution["ResultConfiguration"]["OutputLocation"].rpartition("/tables/")
    assert _object(queries, f"{folder}/{key}.metadata")
    listing = queries.client("s3").list_objects_v2(Bucket=RESULTS, Prefix=f"out/tables/{key}")
    assert all(item["Key"].startswith(f"out/tables/{key}/") for item in listing["Contents"])


def test_named_queries_are_kept_and_deleted(queries):
    athena = queries.client("athena")
    key = athena.create_named_query(Name="n", Database=DATABASE, QueryString="select 1")["NamedQueryId"]
    assert athena.get_named_query(NamedQueryId=key)["NamedQuery"]["QueryString"] == "select 1"
    assert athena.list_named_queries()["NamedQueryIds"] == [key]
    athena.delete_named_query(NamedQueryId=key)
    assert athena.batch_get_named_query(NamedQueryIds=[key])["UnprocessedNamedQueryIds"][0]["NamedQueryId"] == key


def test_metadata_calls_show_the_catalogue(queries):
    athena = queries.client("athena")
    table = queries.json_table("n bigint", {"dt=1/a.json": [{"n": 1}]}, keys="dt string")
    result = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, TableName=table)[
        "TableMetadata"
    ]
    assert result["Columns"] == [{"Name": "n", "Type": "bigint"}]
    assert result["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert result["Parameters"]["location"] == f"s3://{DATA}/{table}"
    assert athena.get_database(CatalogName="AwsDataCatalog", DatabaseName=DATABASE)["Database"]["Name"] == DATABASE
    names = [
        item["Name"]
        for item in athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, Expression=table)[
            "TableMetadataList"
        ]
    ]
    assert names == [table]
    assert athena.list_data_catalogs()["DataCatalogsSummary"][0]["CatalogName"] == "AwsDataCatalog"
    with pytest.raises(ClientError) as caught:
        athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, TableName="nowhere")
    assert caught.value.response["Error"]["Code"] == "MetadataException"
