"""Whose credentials open what: presigned URLs of the older signature, keys of users, sessions and their lengths.

Pages "Signing and authenticating REST requests (AWS signature version 2)", "AssumeRole", "GetCallerIdentity".
"""

import itertools
import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.iam.sessions import Sessions

ACCOUNT = "123456789012"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
_numbers = itertools.count()


@pytest.fixture
def role(aws):
    """Makes a role; returns its ARN."""

    def make(**more):
        name = f"role-{next(_numbers)}"
        return aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]["Arn"]

    return make


@pytest.fixture
def url(aws, s3, bucket):
    """Presigns a read of an object, with other credentials or parameters where given."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")

    def make(seconds=600, **options):
        target = {"Bucket": bucket, "Key": "k", "ResponseContentType": "text/plain"}
        presigned = aws.client("s3", **options).generate_presigned_url("get_object", target, ExpiresIn=seconds)
        assert "AWSAccessKeyId=" in presigned, "version 2"
        return presigned

    return make


def answer(url):
    """Status and body."""
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def changed(url, **fields):
    """The URL with other fields in its query."""
    query = {**dict(parse_qsl(urlsplit(url).query)), **fields}
    return f"{url.partition('?')[0]}?{urlencode(query)}"


def keys(credentials, **more):
    """Options of a client with an AssumeRole's or CreateAccessKey's credentials."""
    token = {"aws_session_token": credentials["SessionToken"]} if "SessionToken" in credentials else {}
    secret = {"aws_secret_access_key": credentials["SecretAccessKey"]}
    return {"aws_access_key_id": credentials["AccessKeyId"], **secret, **token, **more}


def unchecked(aws):
    """A client of STS that sends what its model forbids."""
    return aws.client("sts", config=Config(parameter_validation=False))


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def test_a_url_of_the_older_signature_opens_what_it_names(aws, url, bucket):
    assert answer(url()) == (200, "content")
    target = {"Bucket": bucket, "Key": "k"}
    assert answer(aws.client("s3").generate_presigned_url("get_object", target)) == (200, "content")


@pytest.mark.parametrize("missing", ["AWSAccessKeyId", "Signature", "Expires"])
def test_a_url_without_a_part_of_its_signature_is_an_anonymous_request(url, missing):
    query = dict(parse_qsl(urlsplit(url()).query))
    del query[missing]
    status, body = answer(f"{url().partition('?')[0]}?{urlencode(query)}")
    assert (status, "AccessDenied" in body) == (403, True)


@pytest.mark.parametrize(
    ("service", "call", "status"),
    [
        ("s3", "list_buckets", 403),
        ("iam", "list_roles", 403),
        ("ec2", "describe_vpcs", 401),
        ("ssm", "describe_parameters", 400),
    ],
)
def test_a_refusal_has_the_status_of_its_service(aws, service, call, status):
    for other in ({"aws_access_key_id": "AKIANOBODY"}, {"aws_secret_access_key": "wrong"}):
        with pytest.raises(ClientError) as refused:
            getattr(aws.client(service, **other), call)()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Signature": "AAAA"}, "SignatureDoesNotMatch"),
        ({"response-content-type": "text/html"}, "SignatureDoesNotMatch"),
        ({"Expires": str(int(time.time()) + 3600)}, "SignatureDoesNotMatch"),
        ({"Expires": "soon"}, "Query-string authentication cannot be read"),
        ({"AWSAccessKeyId": "AKIANOBODY"}, "InvalidAccessKeyId"),
        ({"x-amz-security-token": "some"}, "InvalidToken"),
    ],
)
def test_a_url_that_was_changed_opens_nothing(url, fields, words):
    status, body = answer(changed(url(), **fields))
    assert (status, words in body) == (403, True), body


def test_a_url_that_has_expired_says_so(url):
    status, body = answer(url(seconds=-1))
    assert (status, "<Code>AccessDenied</Code>" in body, "Request has expired" in body) == (403, True, True)


def test_a_url_of_another_secret_opens_nothing(url):
    status, body = answer(url(aws_secret_access_key="wrong"))
    assert (status, "SignatureDoesNotMatch" in body) == (403, True)


def test_an_inactive_key_opens_nothing_by_either_signature(aws, url):
    iam = aws.client("iam")
    name = f"user-{next(_numbers)}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    presigned = url(**keys(key))
    assert answer(presigned)[0] == 200
    identity = aws.client("sts", **keys(key)).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert identity["UserId"] == iam.get_user(UserName=name)["User"]["UserId"]
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    status, body = answer(presigned)
    assert (status, "InvalidAccessKeyId" in body) == (403, True)
    assert refusal(aws.client("sts", **keys(key)).get_caller_identity) == "InvalidClientTokenId"


def test_a_session_is_known_by_its_token(aws, role, url):
    arn = role()
    assumed = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="sim")
    session = keys(assumed["Credentials"])
    identity = aws.client("sts", **session).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/sim"
    assert identity["UserId"] == assumed["AssumedRoleUser"]["AssumedRoleId"]
    assert answer(url(**session)) == (200, "content")
    other = {**session, "aws_session_token": "localaws/other"}
    assert refusal(aws.client("sts", **other).get_caller_identity) == "InvalidClientTokenId"
    assert refusal(aws.client("s3", **other).list_buckets) == "InvalidToken"
    status, body = answer(url(**other))
    assert (status, "InvalidToken" in body) == (403, True)


@pytest.mark.parametrize(
    ("seconds", "most", "taken"),
    [(899, 3600, False), (900, 3600, True), (3600, 3600, True), (3601, 3600, False), (7200, 7200, True)],
)
def test_a_session_lasts_as_long_as_its_role_allows(aws, role, seconds, most, taken):
    arguments = {"RoleArn": role(MaxSessionDuration=most), "RoleSessionName": "sim", "DurationSeconds": seconds}
    if not taken:
        assert refusal(unchecked(aws).assume_role, **arguments) == "ValidationError"
        return
    before = datetime.now(UTC)
    expires = aws.client("sts").assume_role(**arguments)["Credentials"]["Expiration"]
    lasts = timedelta(seconds=seconds)
    second = timedelta(seconds=1)  # to which times are rounded in the answer
    assert before + lasts - second <= expires <= datetime.now(UTC) + lasts + second


def test_a_session_lasts_an_hour_unless_told_otherwise(aws, role):
    before = datetime.now(UTC)
    assumed = aws.client("sts").assume_role(RoleArn=role(MaxSessionDuration=7200), RoleSessionName="sim")
    lasts = assumed["Credentials"]["Expiration"] - before
    assert timedelta(seconds=3599) <= lasts <= datetime.now(UTC) - before + timedelta(seconds=3601)


@pytest.mark.parametrize(("name", "taken"), [("s", False), ("s" * 2, True), ("s" * 64, True), ("s" * 65, False)])
def test_the_name_of_a_session_has_two_to_64_characters(aws, role, name, taken):
    arguments = {"RoleArn": role(), "RoleSessionName": name}
    if taken:
        assert unchecked(aws).assume_role(**arguments)["AssumedRoleUser"]["Arn"].endswith(f"/{name}")
    else:
        assert refusal(unchecked(aws).assume_role, **arguments) == "ValidationError"


def test_only_a_role_of_the_whole_arn_is_assumed(aws, role):
    arn = role()
    for other in (arn.replace(ACCOUNT, "210987654321"), arn.replace("role/", "role/path/"), f"{arn}-other"):
        assert refusal(aws.client("sts").assume_role, RoleArn=other, RoleSessionName="sim") == "AccessDenied"


def test_sessions_outlive_a_restart_until_they_expire(tmp_path):
    sessions = Sessions(tmp_path / "sessions.db")
    opened = sessions.open("arn", "id:sim", timedelta(hours=1), ["{}"])
    plain = sessions.open("arn", "id:sim", timedelta(hours=1))
    over = sessions.open("arn", "id:over", timedelta(seconds=-1))
    assert (opened.expired, over.expired) == (False, True)
    sessions.close()
    again = Sessions(tmp_path / "sessions.db")
    assert again.get(opened.key) == opened
    assert again.get(plain.key) == plain
    assert again.get(over.key) is None
    assert (len(opened.key), opened.key[:4], opened.policies, plain.policies) == (20, "ASIA", ("{}",), None)
    again.close()
