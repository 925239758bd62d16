"""Delivery to Iceberg tables. Rules from "Deliver data to Apache Iceberg Tables with Amazon Data Firehose"."""

import json

import pytest
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType, TimestampType

from localaws.testing.delivery_streams import Lake
from localaws.testing.server import running_localaws
from localaws.testing.streams import unique
from localaws.testing.waiting import wait_for

SCHEMA = Schema(
    NestedField(1, "id", LongType()), NestedField(2, "text", StringType()), NestedField(3, "seen", TimestampType())
)


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=120) as aws:
        yield aws


@pytest.fixture
def lake(aws):
    return Lake(aws)


@pytest.fixture
def table(aws, lake):
    options = {
        "client.region": "us-east-1",
        "client.access-key-id": aws.root.key,
        "client.secret-access-key": aws.root.secret,
        "glue.endpoint": aws.endpoint,
        "s3.endpoint": aws.endpoint,
    }
    catalog = GlueCatalog("local", **options)
    catalog.create_namespace_if_not_exists("lake")
    name = unique("posts").replace("-", "_")
    return catalog.create_table(("lake", name), SCHEMA, location=f"s3://{lake.bucket}/{name}")


def deliver(lake, name, **changes):
    stream = unique("delivery")
    table = {"DestinationDatabaseName": "lake", "DestinationTableName": name, **changes}
    lake.firehose.create_delivery_stream(
        DeliveryStreamName=stream,
        DeliveryStreamType="DirectPut",
        IcebergDestinationConfiguration={
            "RoleARN": lake.role,
            "CatalogConfiguration": {"CatalogARN": "arn:aws:glue:us-east-1:123456789012:catalog"},
            "DestinationTableConfigurationList": [table],
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
            "S3Configuration": {
                "RoleARN": lake.role,
                "BucketARN": f"arn:aws:s3:::{lake.bucket}",
                "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            },
        },
    )
    wait_for(lambda: lake.describe(stream)["DeliveryStreamStatus"] == "ACTIVE", what=f"{stream} to be ACTIVE")
    return stream


def test_records_are_rows_of_the_table_and_those_that_do_not_fit_are_errors(lake, table):
    name = table.name()[1]
    stream = deliver(lake, name)
    records = [{"id": 1, "text": "hi", "seen": "2026-05-01T12:00:00Z"}, {"id": 2}, {"id": "many"}]
    data = [{"Data": json.dumps(record).encode()} for record in records]
    lake.firehose.put_record_batch(DeliveryStreamName=stream, Records=data)
    rows = wait_for(lambda: table.refresh().scan().to_arrow().to_pylist(), timeout=20, what="the rows")
    assert [(row["id"], row["text"]) for row in rows] == [(1, "hi"), (2, None)]
    assert rows[0]["seen"].isoformat() == "2026-05-01T12:00:00"

    def error():
        listed = lake.s3.list_objects_v2(Bucket=lake.bucket, Prefix="errors/iceberg-failed/").get("Contents")
        return listed and lake.s3.get_object(Bucket=lake.bucket, Key=listed[0]["Key"])["Body"].read()

    assert b"integer" in wait_for(error, what="the error object")
    (destination,) = lake.describe(stream)["Destinations"]
    shown = destination["IcebergDestinationDescription"]["DestinationTableConfigurationList"]
    assert shown == [{"DestinationDatabaseName": "lake", "DestinationTableName": name}]


def test_what_is_not_supported_is_rejected(lake, table):
    with pytest.raises(ClientError, match="UniqueKeys"):
        deliver(lake, table.name()[1], UniqueKeys=["id"])
