"""Conditional requests and ranges: "Conditional requests" and RFC 9110, sections 13 and 14."""

from datetime import datetime

from localaws.core.cloud import AwsError
from localaws.core.shapes import Params
from localaws.services.s3.store import Stored


def check_read(params: Params, stored: Stored, prefix: str = "") -> None:
    """Raises AwsError PreconditionFailed (412) or NotModified (304). `prefix` is "CopySource" for a copy's source."""
    match = params.get(f"{prefix}IfMatch")
    none_match = params.get(f"{prefix}IfNoneMatch")
    since = params.get(f"{prefix}IfModifiedSince")
    unless = params.get(f"{prefix}IfUnmodifiedSince")
    modified = stored.modified.replace(microsecond=0)
    if match is not None:
        if not _names(match, stored):
            raise precondition_failed("If-Match")
    elif isinstance(unless, datetime) and modified > unless:
        raise precondition_failed("If-Unmodified-Since")
    if none_match is not None:
        if _names(none_match, stored):
            raise _unmodified(prefix, stored, "If-None-Match")
    elif isinstance(since, datetime) and modified <= since:
        raise _unmodified(prefix, stored, "If-Modified-Since")


def check_write(params: Params, current: Stored | None) -> None:
    """Raises AwsError PreconditionFailed (412), or NoSuchKey for If-Match on nothing."""
    if params.get("IfNoneMatch") is not None and current is not None and _names(params["IfNoneMatch"], current):
        raise precondition_failed("If-None-Match")
    if params.get("IfMatch") is not None:
        if current is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
        if not _names(params["IfMatch"], current):
            raise precondition_failed("If-Match")


def precondition_failed(condition: str) -> AwsError:
    message = "At least one of the pre-conditions you specified did not hold"
    return AwsError("PreconditionFailed", message, status=412, Condition=condition)


def _unmodified(prefix: str, stored: Stored, condition: str) -> AwsError:
    if prefix:  # a copy is a write: there is nothing to leave unsent
        return precondition_failed(condition)
    return AwsError("NotModified", "Not Modified", status=304, _headers={"ETag": f'"{stored.etag}"'})


def _names(tags: str, stored: Stored) -> bool:
    return tags.strip() == "*" or stored.etag in [tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")]


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and length that a Range header asks for; None for all, as for a header of a form that S3 passes over.

    Raises AwsError InvalidRange.
    """
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    first, dash, last = header.removeprefix("bytes=").strip().partition("-")
    if not dash or not (first or last) or not all(part.isdigit() for part in (first, last) if part):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if first and last and int(last) < int(first):
        return None
    if start >= size or (not first and int(last) == 0):
        message = "The requested range is not satisfiable"
        raise AwsError("InvalidRange", message, status=416, RangeRequested=header, ActualObjectSize=size)
    return start, end - start + 1
