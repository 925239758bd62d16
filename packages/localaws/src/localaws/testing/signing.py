"""Signature Version 4 for requests that no SDK would send."""

from urllib.parse import urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws.core.root_key import RootKey

REGION = "us-east-1"


def signed(
    root: RootKey, service: str, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> dict[str, str]:
    """The headers of a request with a signature of the account's root."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    credentials = Credentials(root.key, root.secret)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(credentials, service, REGION).add_auth(request)
    return dict(request.headers.items())


def presigned(root: RootKey, endpoint: str, service: str, method: str = "GET", **fields: str) -> str:
    """The path of a URL that the account's root signed."""
    request = AWSRequest(method=method, url=f"{endpoint}/?{urlencode(fields)}" if fields else f"{endpoint}/")
    SigV4QueryAuth(Credentials(root.key, root.secret), service, REGION).add_auth(request)
    return str(request.url).removeprefix(endpoint)
