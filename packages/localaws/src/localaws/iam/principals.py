"""Who makes a call: from an access key and a signature to a caller.

The root's key is that of the state folder, users' keys are the emulator's, those of role sessions are issued here.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, AwsError, Caller
from localaws.core.root_key import RootKey
from localaws.iam.directory import Directory
from localaws.iam.sessions import Sessions
from localaws.iam.signatures import sigv2, sigv4
from localaws.wire.request import HttpRequest
from localaws.wire.routing import Route

ROOT = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root")
_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ANONYMOUS = Caller(arn="*", account="")
_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105
_PRESIGNED = "The local AWS rejected the request: presigned URLs are accepted for S3 and sts:GetCallerIdentity only."
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    """The owner of an access key."""

    caller: Caller
    secret: str
    token: str = ""
    expires: datetime | None = None
    active: bool = True


class Principals:
    """Access keys and their owners."""

    def __init__(self, directory: Directory, sessions: Sessions, root: RootKey) -> None:
        self._directory = directory
        self._sessions = sessions
        self._root = root
        self._delegates: dict[str, _Identity] = {}

    def delegate(self, caller: Caller) -> tuple[str, str]:
        """A new access key for what a service has done in a caller's name, and its secret. Kept in memory only."""
        key = "ASIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))
        secret = secrets.token_urlsafe(30)
        self._delegates[key] = _Identity(caller=caller, secret=secret)
        return key, secret

    def caller_of(self, request: HttpRequest, route: Route) -> Caller:
        """Who signed a request.

        Raises AwsError: InvalidAccessKeyId, SignatureDoesNotMatch, ExpiredToken, ... in the service's own words.
        """
        try:
            signature = sigv4.read(request.headers, request.query)
        except sigv4.Malformed as error:
            raise AwsError("IncompleteSignature", str(error), status=400) from error
        if signature is None:
            return self._unsigned(request, route)
        if signature.presigned and not _can_be_presigned(route):
            raise _error(route, "presigned")
        return self._verified(signature, request, route)

    def _unsigned(self, request: HttpRequest, route: Route) -> Caller:
        """The caller of a request without a Version 4 signature: S3 has older ones, and anonymous callers."""
        if route.service != "s3":
            raise _error(route, "missing")
        fields = dict(request.fields)
        try:
            old = sigv2.read(fields)
        except ValueError as error:
            raise AwsError("AccessDenied", "Query-string authentication cannot be read", status=403) from error
        if old is None:
            return ANONYMOUS
        identity = self._identity(old.key)
        if identity is None or not identity.active:
            raise _error(route, "unknown", old.key)
        if old.token != identity.token:
            raise _error(route, "token")
        if time.time() > old.expires:
            raise AwsError("AccessDenied", "Request has expired", status=403)
        if not sigv2.matches(old, request.method, request.path, fields, request.headers, identity.secret):
            raise _error(route, "mismatch")
        return identity.caller

    def _verified(self, signature: sigv4.Signature, request: HttpRequest, route: Route) -> Caller:
        identity = self._identity(signature.key)
        if identity is None or not identity.active:
            raise _error(route, "unknown", signature.key)
        if signature.token != identity.token:
            raise _error(route, "token")
        now = datetime.now(UTC)
        if identity.expires is not None and now >= identity.expires:
            raise _error(route, "expired")
        if not sigv4.in_time(signature, now):
            raise _error(route, "late")
        signed = sigv4.Signed(
            method=request.method,
            raw_path=request.path,
            query=request.query,
            headers=request.headers,
            body_sha256=request.body_sha256,
        )
        if not sigv4.matches(signature, signed, identity.secret):
            raise _error(route, "mismatch")
        return identity.caller

    def _identity(self, key: str) -> _Identity | None:
        if key == self._root.key:
            return _Identity(caller=ROOT, secret=self._root.secret)
        if (delegate := self._delegates.get(key)) is not None:
            return delegate
        session = self._sessions.get(key)
        if session is not None:
            caller = Caller(arn=session.arn, session=session.key)
            return _Identity(caller=caller, secret=session.secret, token=session.token, expires=session.expires)
        user = self._directory.key(key)
        if user is None:
            return None
        user_record = self._directory.user(user.user)
        arn = user_record.arn if user_record else f"arn:aws:iam::{ACCOUNT}:user/{user.user}"
        return _Identity(caller=Caller(arn=arn), secret=user.secret, active=user.active)


# What is wrong -> code and text for S3, for the query protocols, for JSON and CBOR. Sources: "Error responses" (S3),
# "Common Errors" of each service's API reference, "Error codes for the Amazon EC2 API".
_ERRORS: dict[str, dict[str, tuple[str, str]]] = {
    "unknown": {
        "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
        "query": ("InvalidClientTokenId", _INVALID_TOKEN),
        "json": ("UnrecognizedClientException", _INVALID_TOKEN),
    },
    "token": {
        "s3": ("InvalidToken", "The provided token is malformed or otherwise invalid."),
        "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
        "query": ("InvalidClientTokenId", _INVALID_TOKEN),
        "json": ("UnrecognizedClientException", _INVALID_TOKEN),
    },
    "expired": {
        "s3": ("ExpiredToken", "The provided token has expired."),
        "ec2": ("RequestExpired", "Request has expired."),
        "query": ("ExpiredToken", "The security token included in the request is expired"),
        "json": ("ExpiredTokenException", "The security token included in the request is expired"),
    },
    "late": {
        "s3": ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
        "ec2": ("RequestExpired", "Request has expired."),
        "query": ("SignatureDoesNotMatch", "Signature expired: the date of the request is too far from now."),
        "json": ("InvalidSignatureException", "Signature expired: the date of the request is too far from now."),
    },
    "mismatch": {
        "s3": ("SignatureDoesNotMatch", _MISMATCH),
        "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
        "query": ("SignatureDoesNotMatch", _MISMATCH),
        "json": ("InvalidSignatureException", _MISMATCH),
    },
    "presigned": {
        "ec2": ("UnauthorizedOperation", _PRESIGNED),
        "query": ("AccessDenied", _PRESIGNED),
        "json": ("AccessDeniedException", _PRESIGNED),
    },
    "missing": {
        "ec2": ("MissingAuthenticationToken", "Request is missing Authentication Token"),
        "query": ("MissingAuthenticationToken", "Request is missing Authentication Token"),
        "json": ("MissingAuthenticationTokenException", "Missing Authentication Token"),
    },
}


def _can_be_presigned(route: Route) -> bool:
    """S3's calls can, and the one that proves an identity to others, as tokens for EKS do."""
    return route.service == "s3" or (route.service, route.action) == ("sts", "GetCallerIdentity")


def form_of(route: Route) -> str:
    """Which family of error codes a call's answer is written in: "s3", "ec2", "query" or "json"."""
    if route.service == "s3":
        return "s3"
    return route.protocol if route.protocol in ("ec2", "query") else "json"


def _error(route: Route, what: str, key: str = "") -> AwsError:
    code, message = _ERRORS[what][form_of(route)]
    status = 401 if code == "AuthFailure" else 403 if form_of(route) != "json" or what == "presigned" else 400
    fields = {"AWSAccessKeyId": key} if key and route.service == "s3" else {}
    return AwsError(code, message, status=status, **fields)
