"""Signature Version 4: what a request says of its signer, and whether its signature is right.

Source of the rules: "Create a signed AWS API request" and "Authenticating Requests: Using Query Parameters".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

SKEW = timedelta(minutes=15)
_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a request claims of its signature."""

    key: str
    date: str  # YYYYMMDD, of the scope
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    token: str
    moment: datetime
    lasts: timedelta  # how long after `moment` it is good
    presigned: bool

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The request as it came: the path still percent-encoded, header names in lower case."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body_sha256: str


class Malformed(ValueError):
    """An Authorization header, or its counterpart in a query, that cannot be read."""


def read(headers: Mapping[str, str], query: str) -> Signature | None:
    """The signature that a request carries, or None for an unsigned request. Raises Malformed."""
    authorization = headers.get("authorization", "")
    fields = dict(parse_qsl(query, keep_blank_values=True)) if "X-Amz-Signature" in query else {}
    try:
        if authorization:
            return _from_header(authorization, headers)
        return _from_query(fields) if fields else None
    except (ValueError, KeyError, IndexError) as error:
        raise Malformed(f"the authorization of the request cannot be read: {error}") from error


def _from_header(authorization: str, headers: Mapping[str, str]) -> Signature:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != _ALGORITHM:
        raise ValueError(f"unsupported authorization type {algorithm[:40]!r}")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    return _signature(
        parts["Credential"],
        parts["SignedHeaders"],
        parts["Signature"],
        token=headers.get("x-amz-security-token", ""),
        moment=headers["x-amz-date"],
        lasts=SKEW,
        presigned=False,
    )


def _from_query(fields: Mapping[str, str]) -> Signature:
    return _signature(
        fields["X-Amz-Credential"],
        fields["X-Amz-SignedHeaders"],
        fields["X-Amz-Signature"],
        token=fields.get("X-Amz-Security-Token", ""),
        moment=fields["X-Amz-Date"],
        lasts=timedelta(seconds=int(fields["X-Amz-Expires"])),
        presigned=True,
    )


def _signature(
    credential: str, names: str, signature: str, *, token: str, moment: str, lasts: timedelta, presigned: bool
) -> Signature:
    key, date, region, service, _ = credential.split("/")
    return Signature(
        key=key,
        date=date,
        region=region,
        service=service,
        signed_headers=tuple(names.split(";")),
        signature=signature,
        token=token,
        moment=datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        lasts=lasts,
        presigned=presigned,
    )


def in_time(signature: Signature, now: datetime) -> bool:
    """Whether it is good at `now`: presigned until it expires, others within 15 minutes of their date."""
    earliest = signature.moment - SKEW
    return earliest <= now <= signature.moment + signature.lasts


def matches(signature: Signature, request: Signed, secret: str) -> bool:
    """Whether the signature is the one that `secret` makes."""
    payload = _payload(signature, request)
    if _HEX.fullmatch(payload) and payload != request.body_sha256:
        return False
    canonical = "\n".join(
        [
            request.method,
            _path(signature, request.raw_path),
            _query(request.query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signature.signed_headers),
            "",
            ";".join(signature.signed_headers),
            payload,
        ]
    )
    stamp = signature.moment.strftime("%Y%m%dT%H%M%SZ")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([_ALGORITHM, stamp, signature.scope, hashed])
    expected = hmac.new(_key(secret, signature), text.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature.signature)


def _payload(signature: Signature, request: Signed) -> str:
    """The hash that was signed. A URL for S3 is presigned without the body; the hash of a chunked S3 body is a
    constant, and the chunks carry their own.
    """
    if signature.presigned and signature.service == "s3":
        return request.headers.get("x-amz-content-sha256", _UNSIGNED)
    return request.headers.get("x-amz-content-sha256") or request.body_sha256


def _path(signature: Signature, raw_path: str) -> str:
    """S3 signs the path as it is sent, all others that path encoded once more."""
    return raw_path or "/" if signature.service == "s3" else quote(raw_path or "/", safe="/-_.~")


def _query(query: str) -> str:
    pairs = [
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name != "X-Amz-Signature"
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _key(secret: str, signature: Signature) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
