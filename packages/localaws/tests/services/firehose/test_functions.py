"""Lambda processors: functions that transform records. Rules from "Transform source data" (Data Firehose)."""

import base64
import json

import pytest
from botocore.exceptions import ClientError

from localaws.testing.delivery_streams import Lake
from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream
from localaws.testing.waiting import wait_for

SHOUT = """
import base64

def lambda_handler(event, context):
    print("what a function prints is no answer")
    return {"records": [transform(record) for record in event["records"]]}

def transform(record):
    text = base64.b64decode(record["data"]).decode()
    if text == "drop":
        return {"recordId": record["recordId"], "result": "Dropped"}
    if text == "fail":
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    data = base64.b64encode((text.upper() + "\\n").encode()).decode()
    keys = {"partitionKeys": {"first": text[0]}}
    return {"recordId": record["recordId"], "result": "Ok", "data": data, "metadata": keys}
"""
BROKEN = """
def lambda_handler(event, context):
    raise RuntimeError("out of order")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("functions")
    (folder / "shout.py").write_text(SHOUT)
    (folder / "broken.py").write_text(BROKEN)
    return folder


@pytest.fixture(scope="module")
def aws(tmp_path_factory, folder):
    options = ["--functions", str(folder)]
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=120, options=options) as aws:
        yield aws


@pytest.fixture
def lake(aws):
    return Lake(aws)


def processing(name, *others, **parameters):
    options = {"LambdaArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", **parameters}
    listed = [{"ParameterName": key, "ParameterValue": value} for key, value in options.items()]
    return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": listed}, *others]}


def put(lake, name, *texts):
    records = [{"Data": text.encode()} for text in texts]
    lake.firehose.put_record_batch(DeliveryStreamName=name, Records=records)


def test_records_are_delivered_as_the_function_returns_them(lake):
    name = lake.deliver(ProcessingConfiguration=processing("shout:$LATEST"))
    put(lake, name, "one", "drop", "two")
    (delivered,) = lake.wait_for_objects(1)
    assert delivered.body == b"ONE\nTWO\n"


def test_a_record_that_the_function_fails_is_an_error(lake):
    """Handle failure in data transformation"."""
    prefixes = {"Prefix": "good/", "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/"}
    name = lake.deliver(ProcessingConfiguration=processing("shout"), **prefixes)
    put(lake, name, "fail", "fine")
    failed, delivered = lake.wait_for_objects(2)
    assert delivered.body == b"FINE\n"
    assert failed.key.startswith("bad/processing-failed/")
    error = json.loads(failed.body)
    assert error["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert error["lambdaArn"].endswith(":function:shout")
    assert base64.b64decode(error["rawData"]) == b"fail"


def test_a_function_that_raises_makes_errors_of_its_records(lake):
    name = lake.deliver(
        ProcessingConfiguration=processing("broken", NumberOfRetries="1"),
        ErrorOutputPrefix="bad/!{firehose:error-output-type}/",
    )
    put(lake, name, "a", "b")
    (failed,) = lake.wait_for_objects(1)
    errors = [json.loads(line) for line in failed.body.splitlines()]
    assert [error["errorCode"] for error in errors] == ["Lambda.FunctionError"] * 2
    assert "out of order" in errors[0]["errorMessage"]


def test_a_function_chooses_the_partition(lake):
    """Create partitioning keys with an AWS Lambda function"."""
    stream = make_stream(lake.kinesis)
    lake.deliver(
        source=stream,
        Prefix="first=!{partitionKeyFromLambda:first}/",
        ErrorOutputPrefix="bad/!{firehose:error-output-type}/",
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        DynamicPartitioningConfiguration={"Enabled": True},
        ProcessingConfiguration=processing("shout"),
    )
    records = [{"Data": text.encode(), "PartitionKey": "k"} for text in ("ann", "bob", "ada")]
    lake.kinesis.put_records(StreamName=stream, Records=records)
    delivered = lake.wait_for_objects(2)
    assert [(item.key.split("/")[0], item.body) for item in delivered] == [
        ("first=a", b"ANN\nADA\n"),
        ("first=b", b"BOB\n"),
    ]


def test_a_function_is_loaded_again_when_its_file_changes(lake, folder):
    (folder / "changing.py").write_text(SHOUT)
    name = lake.deliver(ProcessingConfiguration=processing("changing"))
    put(lake, name, "one")
    lake.wait_for_objects(1)
    (folder / "changing.py").write_text(SHOUT.replace("text.upper()", "text[::-1]"))
    put(lake, name, "two")
    wait_for(lambda: "owt" in "".join(item.body.decode() for item in lake.wait_for_objects(2)), what="the new code")


def test_a_function_that_is_not_registered_is_rejected_with_the_option_that_registers_it(lake, tmp_path):
    with pytest.raises(ClientError, match="absent"):
        lake.deliver(ProcessingConfiguration=processing("absent"))
    with running_localaws(tmp_path) as bare, pytest.raises(ClientError, match="--functions"):
        Lake(bare).deliver(ProcessingConfiguration=processing("shout"))
