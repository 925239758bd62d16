"""What the gateway rejects before it looks at who signed: requests that a web page can make a browser send.

All requests here carry a right signature of the root: none is rejected for want of one.
"""

import http.client
import json
from urllib.parse import urlencode, urlsplit

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from localaws.testing.signing import presigned, signed

JSON = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.ListStreams"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMMAND = {
    "DocumentName": "AWS-RunShellScript",
    "Targets": [{"Key": "tag:Name", "Values": ["*"]}],
    "Parameters": {"commands": ["id"]},
}


def send(aws, method, target, body=b"", headers=None):
    """(status, headers, body) of one request, sent as it is."""
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=patient(30))
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, {name.lower(): text for name, text in response.headers.items()}, response.read()
    finally:
        connection.close()


def call(aws, service, method="POST", path="/", body=b"", headers=None):
    """As `send`, with the root's signature."""
    return send(
        aws, method, path, body, signed(aws.root, service, method, f"{aws.endpoint}{path}", body, headers or {})
    )


def decided(aws):
    """How many permissions were decided on so far: a rejected request asks for none."""
    return len(aws.call_log())


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A server that has a name of its own."""
    with running_localaws(tmp_path_factory.mktemp("named"), options=("--allow-host", "Aws.Internal")) as server:
        yield server


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:4566", "127.8.8.8:1", "localhost", "LOCALHOST:4566", "localhost.", "[::1]:4566",
     "bucket.localhost:4566", "bucket.s3.us-east-1.localhost"],
)  # fmt: skip
def test_names_of_loopback_are_accepted(aws, host):
    status, _, body = call(aws, "kinesis", body=b"{}", headers={**JSON, "Host": host})
    assert status == 200, body


@pytest.mark.parametrize(
    "host",
    ["evil.test", "evil.test:4566", "localhost.evil.test", "127.0.0.1.evil.test", "127.0.0.1@evil.test", "10.0.0.1",
     "0.0.0.0", "169.254.169.254", "2130706433", "evillocalhost", "evil.test/127.0.0.1", "[::2]", "[", ":4566",
     "aws.internal"],
)  # fmt: skip
def test_any_other_name_is_rejected(aws, host):
    before = decided(aws)
    status, _, body = call(aws, "kinesis", body=b"{}", headers={**JSON, "Host": host})
    assert (status, json.loads(body)["__type"]) == (403, "AccessDeniedException")
    assert "--allow-host" in json.loads(body)["message"]
    assert decided(aws) == before
    for path in ("/_localaws/health", "/_localaws/credentials/role", "/bucket/key"):
        assert send(aws, "GET", path, headers={"Host": host})[0] == 403


def test_a_request_without_a_name_or_with_two_is_rejected(aws):
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=patient(30))
    for hosts in ((), ("localhost", "evil.test")):
        connection.putrequest("GET", "/_localaws/health", skip_host=True)
        for host in hosts:
            connection.putheader("Host", host)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        assert response.status == 403
    connection.close()


def test_the_name_in_an_absolute_target_counts_too(aws):
    assert send(aws, "GET", "http://evil.test/_localaws/health", headers={"Host": "localhost"})[0] == 403
    assert send(aws, "GET", "http://localhost/_localaws/health", headers={"Host": "localhost"})[0] == 200


def test_a_server_answers_to_its_own_names(named):
    for host in ("aws.internal", "AWS.internal:4566", "127.0.0.1"):
        assert call(named, "kinesis", body=b"{}", headers={**JSON, "Host": host})[0] == 200
    assert call(named, "kinesis", body=b"{}", headers={**JSON, "Host": "other.internal"})[0] == 403


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.test"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "http://127.0.0.1:1"},
     {"Origin": "http://localhost:{port}"}, {"Origin": "file://"}, {"Sec-Fetch-Site": "cross-site"},
     {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "Cross-Site"}, {"Sec-Fetch-Site": "x"}],
)  # fmt: skip
def test_a_page_of_another_origin_is_rejected(aws, s3, bucket, headers):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    port, before = urlsplit(aws.endpoint).port, decided(aws)
    headers = {name: text.replace("{port}", str(port)) for name, text in headers.items()}
    assert call(aws, "kinesis", body=b"{}", headers={**JSON, **headers})[0] == 403
    status, _, body = call(aws, "s3", "GET", f"/{bucket}/k", headers=headers)
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert send(aws, "GET", url.removeprefix(aws.endpoint), headers=headers)[0] == 403
    for path in ("/_localaws/health", "/_localaws/credentials/role"):
        assert send(aws, "GET", path, headers=headers)[0] == 403
    assert decided(aws) == before


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_servers_own_origin_and_the_address_bar_are_accepted(aws, site):
    headers = {**JSON, "Origin": aws.endpoint, "Sec-Fetch-Site": site}
    assert call(aws, "kinesis", body=b"{}", headers=headers)[0] == 200


def test_no_page_is_given_leave_to_read_an_answer(aws, s3, bucket):
    rules = [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "POST"], "AllowedHeaders": ["*"]}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    asking = {"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"}
    own = {"Origin": aws.endpoint}
    answers = [send(aws, "OPTIONS", path, headers=asking) for path in ("/", f"/{bucket}/k", "/_localaws/health")]
    answers += [call(aws, "iam", body=b"Action=ListUsers&Version=2010-05-08", headers={**FORM, **own})]
    answers += [call(aws, "s3", "GET", f"/{bucket}?location", headers=own)]
    assert [status for status, _, _ in answers] == [403, 403, 403, 200, 200]
    assert [name for _, headers, _ in answers for name in headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize(
    ("service", "headers", "body"),
    [
        ("ssm", FORM, urlencode({"Action": "SendCommand", "Version": "2014-11-06", **COMMAND}).encode()),
        ("ssm", FORM, json.dumps(COMMAND).encode()),
        ("ssm", {"Content-Type": "text/plain"}, json.dumps(COMMAND).encode()),
        ("ssm", {"Content-Type": "text/plain", "X-Amz-Target": "AmazonSSM.SendCommand"}, json.dumps(COMMAND).encode()),
        ("ssm", {"X-Amz-Target": "AmazonSSM.SendCommand"}, json.dumps(COMMAND).encode()),
        ("ssm", {}, json.dumps(COMMAND).encode()),
        ("kinesis", {"Content-Type": "multipart/form-data; boundary=x"}, b"{}"),
        ("monitoring", {"Content-Type": "text/plain"}, b"{}"),
        ("lambda", {"Content-Type": "text/plain"}, b"{}"),
        ("braket", FORM, b"Action=X"),
    ],
)
def test_json_services_take_no_forms(aws, service, headers, body):
    before = decided(aws)
    status, _, answer = call(aws, service, body=body, headers=headers)
    assert (status, b"AccessDenied" in answer) == (403, True), answer
    assert decided(aws) == before


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_query_services_take_no_other_kind_of_form(aws, content_type):
    before = decided(aws)
    headers = {"Content-Type": content_type} if content_type else {}
    status, _, answer = call(aws, "iam", body=b"Action=ListUsers&Version=2010-05-08", headers=headers)
    assert (status, b"InvalidAction" in answer) == (400, True), answer
    assert decided(aws) == before


def test_get_is_for_query_services_and_s3(aws):
    assert call(aws, "kinesis", "GET", headers=JSON)[0] == 403
    assert call(aws, "ssm", "GET", "/?Action=ListCommands&Version=2014-11-06")[0] == 403
    assert call(aws, "iam", "GET", "/?Action=ListUsers&Version=2010-05-08")[0] == 200
    assert call(aws, "iam", body=b"Action=ListUsers&Version=2010-05-08", headers=FORM)[0] == 200
    assert call(aws, "s3", "GET")[0] == 200


def test_urls_are_presigned_for_s3_and_for_proof_of_identity_alone(aws, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert send(aws, "GET", url.removeprefix(aws.endpoint))[0] == 200
    identity = presigned(aws.root, aws.endpoint, "sts", Action="GetCallerIdentity", Version="2011-06-15")
    assert send(aws, "GET", identity)[0] == 200
    before = decided(aws)
    for service, fields in (
        ("iam", {"Action": "ListUsers", "Version": "2010-05-08"}),
        ("sts", {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "r", "RoleSessionName": "s"}),
        ("ec2", {"Action": "DescribeVpcs", "Version": "2016-11-15"}),
    ):
        status, _, answer = send(aws, "GET", presigned(aws.root, aws.endpoint, service, **fields))
        assert (status, b"presigned URLs are accepted for S3" in answer) == (403, True)
    headers = {**JSON, "X-Amz-Target": "AmazonSSM.SendCommand"}
    status, _, answer = send(
        aws, "POST", presigned(aws.root, aws.endpoint, "ssm", "POST"), json.dumps(COMMAND).encode(), headers
    )
    assert (status, json.loads(answer)["__type"]) == (403, "AccessDeniedException")
    assert decided(aws) == before


def test_buckets_are_still_reached_by_host_names(aws, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"virtual")
    port = urlsplit(aws.endpoint).port
    for host in (f"{bucket}.localhost:{port}", f"{bucket}.s3.localhost:{port}"):
        assert call(aws, "s3", "GET", "/k", headers={"Host": host})[::2] == (200, b"virtual")
