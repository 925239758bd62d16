"""The object verbs of S3: put, get, head, delete, copy, list, multipart uploads."""

import hashlib
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote

from localaws.s3 import chunked, listing
from localaws.s3.store import Store, Stored
from localaws.s3.xml import element, text_of, timestamp
from localaws.service import AwsError

Answer = tuple[int, dict[str, str], bytes]
# What a PUT may say of an object and a GET says again.
_KEPT = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One S3 request. `query` holds the last value of each name; `headers` have lower-case names."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: dict[str, str]
    body: bytes


def action_of(request: Request) -> str:
    """The action of a request that is answered here, "" for one about a bucket's configuration, which is not."""
    query = request.query
    if not request.bucket:
        return ""
    if not request.key:
        return _bucket_action(request)
    match request.method:
        case "PUT" if "uploadId" in query:
            return "UploadPartCopy" if "x-amz-copy-source" in request.headers else "UploadPart"
        case "PUT" if not set(query) & {"tagging", "acl", "retention", "legal-hold"}:
            return "CopyObject" if "x-amz-copy-source" in request.headers else "PutObject"
        case "GET" if "uploadId" in query:
            return "ListParts"
        case "GET" if not set(query) & {"tagging", "acl", "retention", "legal-hold", "torrent"}:
            return "GetObject"
        case "HEAD":
            return "HeadObject"
        case "DELETE":
            return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
        case "POST" if "uploads" in query:
            return "CreateMultipartUpload"
        case "POST" if "uploadId" in query:
            return "CompleteMultipartUpload"
    raise AwsError("NotImplemented", f"{request.method} of an object with {sorted(query)} is not here", status=501)


def _bucket_action(request: Request) -> str:
    query = request.query
    if request.method == "POST" and "delete" in query:
        return "DeleteObjects"
    plain = {"list-type", "prefix", "delimiter", "max-keys", "encoding-type", "marker", "start-after"}
    plain |= {"continuation-token", "fetch-owner", "x-id"}
    if request.method == "GET" and not {name for name in query if not name.startswith("X-Amz-")} - plain:
        return "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects"
    return ""


class ObjectVerbs:
    """Answers requests about objects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._verbs: dict[str, Callable[[Request], Answer]] = {
            "PutObject": self._put,
            "CopyObject": self._copy,
            "GetObject": self._get,
            "HeadObject": self._head,
            "DeleteObject": self._delete,
            "DeleteObjects": self._delete_many,
            "ListObjects": self._list,
            "ListObjectsV2": self._list,
            "CreateMultipartUpload": self._begin,
            "UploadPart": self._part,
            "UploadPartCopy": self._part_copy,
            "CompleteMultipartUpload": self._complete,
            "AbortMultipartUpload": self._abort,
        }

    def handle(self, action: str, request: Request) -> Answer:
        """Answer one request. Raises AwsError."""
        if action not in self._verbs:
            raise AwsError("NotImplemented", f"{action} is not here", status=501)
        return self._verbs[action](request)

    def _put(self, request: Request) -> Answer:
        if request.headers.get("if-none-match") == "*" and self._store.head(request.bucket, request.key):
            raise AwsError(
                "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412
            )
        stored = self._store.put(request.bucket, request.key, _content(request), _kept(request.headers))
        return 200, {"ETag": f'"{stored.etag}"'}, b""

    def _copy(self, request: Request) -> Answer:
        source = self._source(request)
        replaced = request.headers.get("x-amz-metadata-directive") == "REPLACE"
        headers = _kept(request.headers) if replaced else source.headers
        stored = self._store.put(request.bucket, request.key, source.path.read_bytes(), headers)
        return 200, {}, _copied("CopyObjectResult", stored.etag, timestamp(stored.modified))

    def _get(self, request: Request) -> Answer:
        stored = self._store.get(request.bucket, request.key)
        status, headers = _conditions(request, stored)
        if status == 304:
            return status, headers, b""
        first, last = _range(request.headers.get("range", ""), stored.size)
        with stored.path.open("rb") as content:
            content.seek(first)
            body = content.read(last - first + 1)
        if "range" in request.headers:
            headers["Content-Range"] = f"bytes {first}-{last}/{stored.size}"
            status = 206
        return status, headers, body

    def _head(self, request: Request) -> Answer:
        stored = self._store.get(request.bucket, request.key)
        status, headers = _conditions(request, stored)
        return status, {**headers, "Content-Length": str(stored.size)}, b""

    def _delete(self, request: Request) -> Answer:
        self._store.delete(request.bucket, request.key)
        return 204, {}, b""

    def _delete_many(self, request: Request) -> Answer:
        tree = _parsed(_content(request))
        keys = [found.text or "" for found in tree.iter() if _name(found) == "Key"]
        quiet = any(_name(found) == "Quiet" and found.text == "true" for found in tree.iter())
        for key in keys:
            self._store.delete(request.bucket, key)
        deleted = [] if quiet else [element("Deleted", [text_of("Key", key)]) for key in keys]
        return 200, {"Content-Type": "application/xml"}, element("DeleteResult", deleted, root=True).encode()

    def _list(self, request: Request) -> Answer:
        body = listing.answer(self._store, request.bucket, request.query)
        return 200, {"Content-Type": "application/xml"}, body

    def _begin(self, request: Request) -> Answer:
        upload = self._store.begin_upload(request.bucket, request.key, _kept(request.headers))
        children = [text_of("Bucket", request.bucket), text_of("Key", request.key), text_of("UploadId", upload)]
        return (
            200,
            {"Content-Type": "application/xml"},
            element("InitiateMultipartUploadResult", children, root=True).encode(),
        )

    def _part(self, request: Request) -> Answer:
        etag = self._store.put_part(request.query["uploadId"], _number(request), _content(request))
        return 200, {"ETag": f'"{etag}"'}, b""

    def _part_copy(self, request: Request) -> Answer:
        source = self._source(request)
        first, last = _range(request.headers.get("x-amz-copy-source-range", ""), source.size)
        body = source.path.read_bytes()[first : last + 1]
        etag = self._store.put_part(request.query["uploadId"], _number(request), body)
        return 200, {}, _copied("CopyPartResult", etag, timestamp(source.modified))

    def _complete(self, request: Request) -> Answer:
        tree = _parsed(_content(request))
        numbers = [int(found.text or 0) for found in tree.iter() if _name(found) == "PartNumber"]
        stored = self._store.complete_upload(request.query["uploadId"], numbers)
        children = [text_of("Bucket", request.bucket), text_of("Key", request.key), text_of("ETag", f'"{stored.etag}"')]
        return (
            200,
            {"Content-Type": "application/xml"},
            element("CompleteMultipartUploadResult", children, root=True).encode(),
        )

    def _abort(self, request: Request) -> Answer:
        self._store.abort_upload(request.query["uploadId"])
        return 204, {}, b""

    def _source(self, request: Request) -> Stored:
        name = unquote(request.headers["x-amz-copy-source"]).lstrip("/").split("?")[0]
        bucket, _, key = name.partition("/")
        return self._store.get(bucket, key)


def _content(request: Request) -> bytes:
    """The body without its transfer encoding, checked against Content-MD5. Raises AwsError."""
    body = chunked.decode(request.body) if chunked.is_chunked(request.headers) else request.body
    sent = request.headers.get("content-md5")
    if sent and b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() != sent:
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    return body


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in headers.items() if name in _KEPT or name.startswith("x-amz-meta-")}
    encoding = ",".join(
        one for one in kept.get("content-encoding", "").replace(" ", "").split(",") if one not in ("", "aws-chunked")
    )
    kept.pop("content-encoding", None)
    return {**kept, **({"content-encoding": encoding} if encoding else {})}


def _conditions(request: Request, stored: Stored) -> tuple[int, dict[str, str]]:
    """The status and headers of an object, after the request's conditions. Raises AwsError PreconditionFailed."""
    headers = {
        "ETag": f'"{stored.etag}"',
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Type": "binary/octet-stream",
        **stored.headers,
    }
    if "content-type" in stored.headers:
        del headers["Content-Type"]
    if_match = request.headers.get("if-match", "").strip('"')
    if if_match and if_match not in ("*", stored.etag):
        raise AwsError(
            "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412
        )
    if request.headers.get("if-none-match", "").strip('"') in (stored.etag, "*"):
        return 304, headers
    since = request.headers.get("if-modified-since")
    if since and stored.modified.replace(microsecond=0) <= parsedate_to_datetime(since):
        return 304, headers
    return 200, headers


def _range(header: str, size: int) -> tuple[int, int]:
    """The first and last byte that a Range header asks for. Raises AwsError InvalidRange."""
    if not header.startswith("bytes="):
        return 0, size - 1
    first, _, last = header.removeprefix("bytes=").partition("-")
    try:
        begin = int(first) if first else max(size - int(last), 0)
        end = min(int(last), size - 1) if first and last else size - 1
    except ValueError as error:
        raise AwsError("InvalidArgument", f"the range {header!r} cannot be read") from error
    if begin > end:
        raise AwsError("InvalidRange", "The requested range is not satisfiable", status=416)
    return begin, end


def _number(request: Request) -> int:
    try:
        return int(request.query["partNumber"])
    except (KeyError, ValueError) as error:
        raise AwsError("InvalidArgument", "partNumber must be a number") from error


def _parsed(body: bytes) -> ET.Element:
    try:
        return ET.fromstring(body)  # noqa: S314 - loopback only, and expat limits entity expansion
    except ET.ParseError as error:
        raise AwsError("MalformedXML", f"The XML you provided was not well-formed: {error}") from error


def _name(found: ET.Element) -> str:
    return found.tag.rpartition("}")[2]


def _copied(kind: str, etag: str, modified: str) -> bytes:
    return element(kind, [text_of("ETag", f'"{etag}"'), text_of("LastModified", modified)], root=True).encode()
