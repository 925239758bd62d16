"""Delivery in Parquet and ORC by the schema of a Glue table. Rules from "Convert input data format" (Data Firehose)."""

import base64
import io
import json
from datetime import date, datetime
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError
from pyarrow import orc, parquet

from localaws.services.firehose.columnar.hive_types import InvalidSchema, Unfit, column_type
from localaws.testing.delivery_streams import Lake, objects
from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream, unique
from localaws.testing.waiting import wait_for

COLUMNS = {
    "id": "bigint",
    "text": "string",
    "seen": "timestamp",
    "day": "date",
    "price": "decimal(10,2)",
    "tags": "array<string>",
    "author": "struct<name:string,age:int>",
    "counts": "map<string,int>",
}
RECORD = {
    "ID": "7",
    "text": {"a": 1},
    "seen": "2026-05-01T12:00:00.5Z",
    "day": "2026-05-01",
    "price": 1.5,
    "tags": ["a", None],
    "author": {"Name": "sim_ann", "age": 3},
    "counts": {"x": 1},
    "unknown": True,
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=120) as aws:
        aws.client("glue").create_database(DatabaseInput={"Name": "lake"})
        yield aws


@pytest.fixture
def lake(aws):
    return Lake(aws)


@pytest.fixture
def table(aws, lake):
    name = unique("posts").replace("-", "_")
    descriptor = {
        "Columns": [{"Name": column, "Type": kind} for column, kind in COLUMNS.items()],
        "Location": f"s3://{lake.bucket}/rows/",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
    table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": descriptor}
    aws.client("glue").create_table(DatabaseName="lake", TableInput=table)
    return name


def conversion(lake, table, serializer="ParquetSerDe", **options):
    return {
        "Enabled": True,
        "SchemaConfiguration": {"RoleARN": lake.role, "DatabaseName": "lake", "TableName": table},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": options}},
        "OutputFormatConfiguration": {"Serializer": {serializer: {}}},
    }


def deliver(lake, table, serializer="ParquetSerDe", source=None, **configuration):
    return lake.deliver(
        source=source,
        Prefix="rows/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        DataFormatConversionConfiguration=conversion(lake, table, serializer),
        **configuration,
    )


def put(lake, name, *records):
    data = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    lake.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": record} for record in data])


def test_records_become_rows_of_the_tables_types(lake, table):
    name = deliver(lake, table)
    put(lake, name, RECORD, {"id": 8})
    (delivered,) = lake.wait_for_objects(1)
    assert delivered.key.startswith("rows/")
    assert delivered.key.endswith(".parquet")
    full, empty = parquet.read_table(io.BytesIO(delivered.body)).to_pylist()
    assert full["id"] == 7
    assert full["text"] == '{"a": 1}'
    assert full["seen"].to_pydatetime() == datetime(2026, 5, 1, 12, 0, 0, 500_000)  # noqa: DTZ001 - as Hive has it
    assert (full["day"], full["price"]) == (date(2026, 5, 1), Decimal("1.50"))
    assert full["tags"] == ["a", None]
    assert (full["author"], full["counts"]) == ({"name": "sim_ann", "age": 3}, [("x", 1)])
    assert (empty["id"], empty["text"]) == (8, None)
    assert parquet.ParquetFile(io.BytesIO(delivered.body)).metadata.row_group(0).column(0).compression == "SNAPPY"


def test_athena_reads_what_was_converted(aws, lake, table):
    stream = make_stream(lake.kinesis)
    deliver(lake, table, source=stream)
    lake.kinesis.put_record(StreamName=stream, Data=json.dumps(RECORD).encode() * 2, PartitionKey="k")
    lake.wait_for_objects(1)
    athena = aws.client("athena")
    query = athena.start_query_execution(
        QueryString=f"select count(*), max(author.name), max(seen), sum(price) from lake.{table}",
        ResultConfiguration={"OutputLocation": f"s3://{lake.bucket}/results/"},
    )["QueryExecutionId"]

    def finished():
        state = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return state if state["State"] in ("SUCCEEDED", "FAILED") else None

    assert wait_for(finished, what="the query")["State"] == "SUCCEEDED"
    row = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1]["Data"]
    assert [cell["VarCharValue"] for cell in row] == ["2", "sim_ann", "2026-05-01 12:00:00.500", "3.00"]


def test_records_that_do_not_fit_are_errors_in_the_documented_form(lake, table):
    """Handling errors for data format conversion"."""
    name = deliver(lake, table)
    put(lake, name, {"id": "many"}, b"no json", {"id": 1})
    errors, rows = lake.wait_for_objects(2)
    assert parquet.read_table(io.BytesIO(rows.body)).num_rows == 1
    assert errors.key.startswith("errors/format-conversion-failed/")
    first, second = (json.loads(line) for line in errors.body.splitlines())
    assert first["errorCode"] == "DataFormatConversion.MalformedData"
    assert "id" in first["errorMessage"]
    assert json.loads(base64.b64decode(first["rawData"])) == {"id": "many"}
    assert first["dataCatalogTable"]["tableName"] == table
    assert base64.b64decode(second["rawData"]) == b"no json"


def test_orc_is_written_too(lake, table):
    name = deliver(lake, table, "OrcSerDe")
    put(lake, name, {"id": 1, "tags": ["a"]})
    (delivered,) = lake.wait_for_objects(1)
    assert delivered.key.endswith(".orc")
    (row,) = orc.ORCFile(io.BytesIO(delivered.body)).read().to_pylist()
    assert (row["id"], row["tags"]) == (1, ["a"])


def test_delivery_waits_for_a_table_that_is_not_there(aws, lake, table):
    name = deliver(lake, table)
    glue = aws.client("glue")
    definition = glue.get_table(DatabaseName="lake", Name=table)["Table"]
    glue.delete_table(DatabaseName="lake", Name=table)
    put(lake, name, {"id": 1})
    wait_for(lambda: b"EntityNotFoundException" in aws.stderr.read_bytes(), what="a delivery that fails")
    assert objects(lake.s3, lake.bucket) == []
    members = {key: definition[key] for key in ("Name", "TableType", "StorageDescriptor")}
    glue.create_table(DatabaseName="lake", TableInput=members)
    lake.wait_for_objects(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CompressionFormat": "GZIP"}, "UNCOMPRESSED"),
        ({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}}, "at least 64"),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "SchemaConfiguration"),
    ],
)
def test_a_conversion_that_aws_rejects_is_rejected(lake, table, change, message):
    good = {"DataFormatConversionConfiguration": conversion(lake, table)}
    with pytest.raises(ClientError, match=message):
        lake.deliver(**{"BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60}, **good, **change})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("timestamp", "2018-02-07 15:04:05.123456789", 1518015845123456789),
        ("timestamp", 1518033528, 1518033528000000000),
        ("timestamp", 1518033528123, 1518033528123000000),
        ("timestamp", 1518033528.123, 1518033528123000000),
        ("boolean", "TRUE", True),
        ("decimal(3,1)", "12.34", Decimal("12.3")),
        ("map<string, array<int>>", {"a": [1]}, [("a", [1])]),
    ],
)
def test_a_value_is_read_in_every_documented_form(kind, value, expected):
    assert column_type(kind).read(value) == expected


@pytest.mark.parametrize(
    ("kind", "value"), [("int", 2**31), ("int", True), ("timestamp", "noon"), ("decimal(3,1)", 123), ("date", "x")]
)
def test_a_value_that_does_not_fit_is_refused(kind, value):
    with pytest.raises(Unfit):
        column_type(kind).read(value)


@pytest.mark.parametrize("kind", ["", "integral", "array<int", "map<int>", "struct<a>", "int,int"])
def test_a_type_that_is_none_is_refused(kind):
    with pytest.raises(InvalidSchema):
        column_type(kind)
