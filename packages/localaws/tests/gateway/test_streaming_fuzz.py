"""Whatever the parameters, Kinesis, Firehose and CloudWatch answer in AWS's form, and go on answering."""

import http.client
import json
from functools import cache
from urllib.parse import urlsplit

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.testing.parameters import typed
from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from localaws.testing.signing import signed

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


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=100) as aws:
        yield aws


def ask(server, service, action, body):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGETS[service]}.{action}"}
    name, url = SIGNING_NAMES.get(service, service), f"{server.endpoint}/"
    headers = signed(server.root, name, "POST", url, body.encode(), headers)
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=patient(20))
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
    return typed(shape, 0) if shape.members else st.just({})


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
