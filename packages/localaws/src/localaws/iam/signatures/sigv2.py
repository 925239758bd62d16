"""Signature Version 2 in a query: what boto3 presigns S3 URLs with unless told otherwise.

Source of the rules: "Signing and authenticating REST requests (AWS signature version 2)".
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

# The parts of a query that belong to the resource.
_SUBRESOURCES = frozenset(
    {
        "acl", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
        "requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "tagging", "torrent", "uploadId",
        "uploads", "versionId", "versioning", "versions", "website",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySignature:
    """What a presigned URL claims."""

    key: str
    signature: str
    expires: int  # seconds since the epoch
    token: str


def read(fields: Mapping[str, str]) -> QuerySignature | None:
    """The signature in a query, None where there is none of this version. Raises ValueError."""
    if not {"AWSAccessKeyId", "Signature", "Expires"} <= fields.keys():
        return None
    return QuerySignature(
        key=fields["AWSAccessKeyId"],
        signature=fields["Signature"],
        expires=int(fields["Expires"]),
        token=fields.get("x-amz-security-token", ""),
    )


def matches(
    signature: QuerySignature,
    method: str,
    path: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str],
    secret: str,
) -> bool:
    """Whether the signature is the one that `secret` makes. `path` is as it was sent."""
    amz = {name: text for name, text in headers.items() if name.startswith("x-amz-")}
    if signature.token:
        amz["x-amz-security-token"] = signature.token
    named = sorted((name, text) for name, text in fields.items() if name in _SUBRESOURCES)
    query = "&".join(f"{name}={text}" if text else name for name, text in named)
    text = "\n".join(
        [
            method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            str(signature.expires),
            *(f"{name}:{amz[name]}" for name in sorted(amz)),
            path + (f"?{query}" if query else ""),
        ]
    )
    expected = b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return hmac.compare_digest(expected, signature.signature)
