"""Whatever the parameters, Kinesis, Firehose and CloudWatch answer in AWS's form, and go on answering."""

import base64
import http.client
import json
from functools import cache
from urllib.parse import urlsplit

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.testing.server import running_localaws

TARGETS = {
    "kinesis": "Kinesis_20131202",
    "firehose": "Firehose_20150804",
    "cloudwatch": "GraniteServiceVersion20100801",
}
SIGNING_NAMES = {"cloudwatch": "monitoring"}
# The emulator answers the rest.
CLOUDWATCH = (
    "DeleteAlarms DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric DisableAlarmActions EnableAlarmActions "
    "GetMetricData GetMetricStatistics ListMetrics PutCompositeAlarm PutMetricAlarm PutMetricData SetAlarmState"
).split()
KINESIS = (
    "CreateStream DeleteStream DescribeStream DescribeStreamSummary GetRecords GetShardIterator ListShards ListStreams "
    "MergeShards PutRecord PutRecords RegisterStreamConsumer SplitShard UpdateShardCount TagResource"
).split()
WORDS = [
    "a",
    "s",
    "shardId-000000000000",
    "0",
    "170141183460469231731687303715884105728",
    "é" * 3,
    "",
    "arn:aws:kinesis:us-east-1:123456789012:stream/s",
    "arn:aws:iam::123456789012:role/r",
    "arn:aws:s3:::bucket",
    "!{timestamp:yyyy}/",
    "m1 + FILL(m1, 0) / 0",
    'ALARM("a") OR NOT (OK(a))',
]
ANYTHING = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=100) as aws:
        yield aws


def values(shape, depth=0):
    """Values of a shape: mostly of its type, now and then of none."""
    return st.one_of(_typed(shape, depth), _typed(shape, depth), _typed(shape, depth), ANYTHING)


def _typed(shape, depth):
    kind = shape.type_name
    if kind == "structure":
        members = {name: values(member, depth + 1) for name, member in shape.members.items()}
        needed = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(needed, optional=members if depth < 2 else {})
    if kind == "list":
        return st.lists(values(shape.member, depth + 1), max_size=3)
    if kind == "map":
        return st.dictionaries(st.sampled_from(WORDS), values(shape.value, depth + 1), max_size=2)
    if kind == "blob":
        return st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
    if kind == "string":
        return st.sampled_from([*getattr(shape, "enum", []), *WORDS])
    if kind == "timestamp":
        return st.sampled_from([0, 1e9, 1.8e9, 4e9, 1e300])
    return st.booleans() if kind == "boolean" else st.sampled_from([0, 1, 2, 5, 60, 100, 10**6, -1, 0.5])


def ask(server, service, action, body):
    signed = f"localaws/20260101/us-east-1/{SIGNING_NAMES.get(service, service)}/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{TARGETS[service]}.{action}",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={signed}, SignedHeaders=host, Signature=0",
    }
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=20)
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def model(service):
    return botocore.session.get_session().get_service_model(service)


@cache
def params_of(service, action):
    shape = model(service).operation_model(action).input_shape
    return _typed(shape, 0) if shape.members else st.just({})


ACTIONS = {"kinesis": KINESIS, "firehose": model("firehose").operation_names, "cloudwatch": CLOUDWATCH}


@pytest.mark.parametrize("service", ACTIONS)
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_parameters_get_an_answer_of_aws_form(server, service, data):
    action = data.draw(st.sampled_from(ACTIONS[service]))
    status, text = ask(server, service, action, json.dumps(data.draw(params_of(service, action))))
    assert status in (200, 400, 404), text
    if status != 200:
        assert json.loads(text)["__type"]
