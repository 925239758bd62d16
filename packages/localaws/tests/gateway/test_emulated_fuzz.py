"""Whatever the parameters, calls of every protocol that the emulator answers get an answer in their protocol's form."""

import http.client
from functools import cache
from urllib.parse import urlsplit

import boto3
import botocore.session
import pytest
from botocore.exceptions import BotoCoreError
from botocore.parsers import create_parser
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from localaws.emulator.client import written
from localaws.testing.parameters import typed
from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from localaws.testing.signing import signed

# One or more services a protocol: query, ec2, json, rest-json, rest-xml.
ACTIONS = {
    "iam": "CreateRole GetRole PutRolePolicy ListRoles CreateUser TagRole CreateInstanceProfile SimulateCustomPolicy",
    "sns": "CreateTopic Subscribe Publish ListTopics GetTopicAttributes SetTopicAttributes TagResource",
    "sqs": "CreateQueue SendMessage SendMessageBatch DeleteMessage GetQueueAttributes SetQueueAttributes PurgeQueue",
    "rds": "CreateDBInstance DescribeDBInstances ModifyDBInstance StopDBInstance CreateDBSubnetGroup DeleteDBInstance",
    "ec2": "DescribeInstances DescribeVpcs CreateTags CreateSecurityGroup CreateLaunchTemplate GetConsoleOutput",
    "autoscaling": "DescribeAutoScalingGroups SetDesiredCapacity UpdateAutoScalingGroup DeleteAutoScalingGroup",
    "sts": "AssumeRole GetCallerIdentity DecodeAuthorizationMessage",
    "ssm": "PutParameter GetParameter GetParametersByPath CreateDocument SendCommand ListCommands DeleteParameter",
    "secretsmanager": "CreateSecret GetSecretValue PutSecretValue ListSecrets DeleteSecret TagResource",
    "logs": "CreateLogGroup PutLogEvents GetLogEvents FilterLogEvents PutRetentionPolicy DescribeLogGroups",
    "glue": "CreateDatabase CreateTable UpdateTable GetTables BatchCreatePartition GetPartitions CreateCrawler",
    "athena": "StartQueryExecution GetQueryResults CreateWorkGroup CreatePreparedStatement ListQueryExecutions",
    "events": "PutRule PutTargets ListRules PutEvents",
    "lambda": "GetFunction ListFunctions Invoke TagResource",
    "s3": "PutBucketTagging PutBucketPolicy GetBucketLocation ListObjectsV2 PutBucketCors CreateBucket",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=100) as aws:
        yield aws


@cache
def described(service, action):
    return botocore.session.get_session().get_service_model(service).operation_model(action)


@cache
def params_of(service, action):
    shape = described(service, action).input_shape
    return typed(shape, 0) if shape and shape.members else st.just({})


def ask(server, service, request):
    target = (request.path + (f"?{request.query}" if request.query else "")).replace(" ", "%20")
    sent = {name: text.encode("latin-1", "replace").decode("latin-1") for name, text in request.headers.items()}
    assume(not any(set("\r\n") & set(text) for text in sent.values()))  # http.client sends no such header
    headers = signed(server.root, service, request.method, f"{server.endpoint}{target}", request.body, sent)
    headers = {name: text.encode("latin-1", "replace") for name, text in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=patient(30))
    connection.request(request.method, target, request.body, headers)
    answer = connection.getresponse()
    raw = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.read()}
    connection.close()
    return raw


@pytest.mark.parametrize("service", ACTIONS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_parameters_get_an_answer_in_the_protocols_form(server, service, data):
    action = data.draw(st.sampled_from(ACTIONS[service].split()))
    try:
        request = written(service, action, data.draw(params_of(service, action)))
    except (BotoCoreError, AttributeError, TypeError, ValueError, KeyError, OverflowError, RuntimeError):
        assume(False)  # botocore cannot write the value: a timestamp beyond its calendar is its RuntimeError
    raw = ask(server, service, request)
    assert b"Traceback" not in raw["body"]
    operation = described(service, action)
    protocol = next(
        item for item in operation.service_model.metadata.get("protocols", ["json"]) if item != "smithy-rpc-v2-cbor"
    )
    parsed = create_parser(protocol).parse(raw, operation.output_shape)
    if raw["status_code"] >= 300:
        assert parsed["Error"]["Code"], raw


def test_a_service_that_nobody_here_knows_is_not_implemented(server):
    client = server.client("braket")
    with pytest.raises(client.exceptions.ClientError) as error:
        client.get_device(deviceArn="arn:aws:braket:::device/quantum-simulator/amazon/sv1")
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert "braket" in boto3.Session().get_available_services()
