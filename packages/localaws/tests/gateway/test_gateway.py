"""The gateway: one endpoint that is never lost for an answer of AWS's form."""

import http.client
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.testing.patience import patient
from localaws.testing.signing import signed

TARGETS = ["Kinesis_20131202", "Firehose_20150804", "AWSGlue", "AmazonAthena", "AmazonSSM", "AmazonSQS", "Nothing"]


def ask(aws, method, path, body=b"", headers=None):
    """(status, headers, body) of a raw request."""
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=patient(20))
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def json_call(aws, target, body, service="kinesis"):
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    return ask_signed(aws, service, "POST", "/", body, headers)


def ask_signed(aws, service, method, path, body=b"", headers=None):
    """As `ask`, with the root's signature."""
    url = f"{aws.endpoint}{path}"
    return ask(aws, method, path, body, signed(aws.root, service, method, url, body, headers))


def test_health_tells_that_the_server_answers_and_nothing_else(aws):
    with urllib.request.urlopen(f"{aws.endpoint}/_localaws/health") as answer:
        assert json.load(answer) == {"status": "ok"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"Limit": "x"}', "SerializationException"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_serialization_exception(aws, body, code):
    status, _, response = json_call(aws, "Kinesis_20131202.ListStreams", body)
    assert (status, json.loads(response)["__type"]) == (400, code)


def test_unknown_actions_are_named_as_unknown(aws):
    status, _, response = json_call(aws, "Kinesis_20131202.Fly", b"{}")
    assert (status, json.loads(response)["__type"]) == (400, "UnknownOperationException")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, response = ask_signed(aws, "iam", "POST", "/", b"Action=Fly&Version=2010-05-08", form)
    assert status == 400
    assert b"<Code>InvalidAction</Code>" in response
    status, _, response = ask_signed(aws, "s3", "PATCH", "/bucket/key")
    assert status == 405
    assert b"<Code>MethodNotAllowed</Code>" in response


def test_a_missing_parameter_is_the_callers_mistake(aws):
    status, _, response = json_call(aws, "AWSGlue.GetTable", b"{}", "glue")
    assert status == 400
    assert "DatabaseName" in json.loads(response)["message"]


def test_bytes_that_are_no_http_get_an_error_and_the_server_goes_on(aws):
    address = urlsplit(aws.endpoint)
    for sent in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"NONSENSE\r\n\r\n"):
        with socket.create_connection((address.hostname, address.port), timeout=patient(10)) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))
            assert b"Traceback" not in answer
    assert ask(aws, "GET", "/_localaws/health")[0] == 200


def test_headers_beyond_all_measure_are_refused(aws):
    status, _, response = ask(aws, "GET", "/", headers={"X-Long": "x" * (80 << 10)})
    assert status == 431
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in response


def test_an_empty_body_may_expect_to_be_asked_for(aws, s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="empty")["ContentLength"] == 0


def test_a_truncated_chunked_body_is_incomplete_and_stores_nothing(aws, s3, bucket):
    headers = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "10"}
    for body in (b"a\r\n12345", b"zz\r\n", b"5\r\n12345\r\n0\r\n\r\n"):
        status, _, response = ask_signed(aws, "s3", "PUT", f"/{bucket}/cut", body, headers)
        assert (status, b"<Code>IncompleteBody</Code>" in response) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_nobody_but_this_machine_can_reach_it(aws):
    port = urlsplit(aws.endpoint).port
    with Path("/proc/net/tcp").open() as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [text for text in listening if int(text.split(":")[1], 16) == port] == [f"0100007F:{port:04X}"]


names = st.sampled_from(["ListStreams", "PutRecords", "GetTable", "StartQueryExecution", "SendMessage", "X", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["StreamName", "Records", "Data", "DatabaseName", "Name", "QueryString", "QueueUrl", "Limit"])
bodies = st.binary(max_size=60) | st.dictionaries(keys, values, max_size=4).map(lambda text: json.dumps(text).encode())
paths = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=20)
headers = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "X-Amz-Target", "Authorization", "Range", "x-amz-copy-source", "Content-MD5", "If-Match",
         "x-amz-content-sha256", "smithy-protocol", "x-amz-tagging", "Host"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    max_size=4,
)  # fmt: skip


def is_answer_of_aws(status, sent, response):
    """An HTTP status of AWS's, an id, and no inside of ours."""
    return 200 <= status < 600 and status != 500 and b"Traceback" not in response and "x-amzn-requestid" in {
        name.lower() for name in sent
    }  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.sampled_from(TARGETS), action=names, body=bodies)
def test_any_json_call_has_an_answer(aws, target, action, body):
    assert is_answer_of_aws(*json_call(aws, f"{target}.{action}", body))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]), path=paths, body=bodies, sent=headers)
def test_any_request_has_an_answer(aws, method, path, body, sent):
    assert is_answer_of_aws(*ask(aws, method, "/fuzzed/" + path, body, sent))
    plain = {name: text for name, text in sent.items() if name not in ("Host", "Authorization")}
    assert is_answer_of_aws(*ask_signed(aws, "s3", method, "/fuzzed/" + path, body, plain))
