"""Signature Version 4: what botocore signs is taken, and nothing that was changed since.

Pages "Create a signed AWS API request", "Authenticating Requests: Using Query Parameters".
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws.iam.signatures import sigv4

SECRET = "secret-of-the-tests"
URL = "http://127.0.0.1:4566/b/k%20y?versionId=1&tagging&a=%2F"
SIGNERS = {
    "header": lambda credentials: SigV4Auth(credentials, "kinesis", "us-east-1"),
    "s3 header": lambda credentials: S3SigV4Auth(credentials, "s3", "us-east-1"),
    "query": lambda credentials: SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60),
    "s3 query": lambda credentials: S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=60),
}


def signed(kind: str, token: str = "") -> tuple[sigv4.Signature, sigv4.Signed]:
    """What the server reads of a request, and the request as it comes."""
    body = b"" if "query" in kind else b"content"
    request = AWSRequest("PUT", URL, headers={"X-Amz-Meta-Note": "a  b", "Content-Type": "text/plain"}, data=body)
    if kind.startswith("s3"):
        request.context["payload_signing_enabled"] = True
    SIGNERS[kind](Credentials("KEY", SECRET, token or None)).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    headers = {"host": parts.netloc}
    for name, value in prepared.headers.items():
        headers[name.lower()] = value.decode() if isinstance(value, bytes) else value
    signature = sigv4.read(headers, parts.query)
    assert signature is not None
    digest = hashlib.sha256(body).hexdigest()
    return signature, sigv4.Signed(
        method="PUT", raw_path=parts.path, query=parts.query, headers=headers, body_sha256=digest
    )


@pytest.mark.parametrize("token", ["", "token/of+a=session"])
@pytest.mark.parametrize("kind", SIGNERS)
def test_what_botocore_signs_is_taken(kind, token):
    signature, request = signed(kind, token=token)
    assert sigv4.matches(signature, request, SECRET)
    assert not sigv4.matches(signature, request, f"{SECRET}2")
    assert (signature.key, signature.token, signature.presigned) == ("KEY", token, "query" in kind)
    assert signature.lasts == timedelta(seconds=60 if "query" in kind else 900)
    assert abs(datetime.now(UTC) - signature.moment) < timedelta(minutes=5)


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_request_that_was_changed_does_not_fit(kind):
    signature, request = signed(kind)
    for other in (
        replace(request, method="GET"),
        replace(request, raw_path="/b/k%20z"),
        replace(request, query=f"{request.query}&b=2"),
        replace(request, headers={**request.headers, "x-amz-meta-note": "c"}),
        replace(request, headers={**request.headers, "host": "127.0.0.1:4567"}),
    ):
        assert not sigv4.matches(signature, other, SECRET)
    for region in ("eu-west-1", "US-EAST-1"):
        assert not sigv4.matches(replace(signature, region=region), request, SECRET)
    assert not sigv4.matches(replace(signature, moment=signature.moment + timedelta(seconds=1)), request, SECRET)


@pytest.mark.parametrize("kind", SIGNERS)
def test_another_body_does_not_fit_unless_the_url_was_presigned_for_s3(kind):
    signature, request = signed(kind)
    other = replace(request, body_sha256=hashlib.sha256(b"changed").hexdigest())
    assert sigv4.matches(signature, other, SECRET) is (kind == "s3 query")


@pytest.mark.parametrize(
    ("kind", "seconds", "good"),
    [
        ("header", -900, True),
        ("header", -901, False),
        ("header", 900, True),
        ("header", 901, False),
        ("query", -900, True),
        ("query", -901, False),
        ("query", 60, True),
        ("query", 61, False),
    ],
)
def test_a_signature_is_good_for_its_time(kind, seconds, good):
    signature, _ = signed(kind)
    assert sigv4.in_time(signature, signature.moment + timedelta(seconds=seconds)) is good


def test_a_request_without_a_signature_is_unsigned():
    assert sigv4.read({"host": "127.0.0.1"}, "a=b") is None
    assert sigv4.read({"host": "127.0.0.1"}, "") is None


@pytest.mark.parametrize(
    ("authorization", "query"),
    [
        ("Bearer abc", ""),
        ("AWS4-HMAC-SHA256", ""),
        ("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0", ""),
        ("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, Signature=0", ""),
        ("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0", ""),
        ("", "X-Amz-Signature=0"),
        ("", "X-Amz-Signature=0&X-Amz-Credential=a/b/c/d/e&X-Amz-SignedHeaders=host&X-Amz-Date=now&X-Amz-Expires=9"),
    ],
)
def test_an_authorization_that_cannot_be_read_is_named(authorization, query):
    with pytest.raises(sigv4.Malformed, match="the authorization of the request cannot be read"):
        sigv4.read({"authorization": authorization}, query)
