"""The verbs about one object: put, get, head, copy, delete, and its attributes and tags."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Params, Response
from localaws.services.s3 import conditions, object_headers
from localaws.services.s3.blobs import Written
from localaws.services.s3.chunked import Body
from localaws.services.s3.store import NULL, Draft, Store, Stored, no_such_key
from localaws.wire.request import FilePart

_LONGEST_KEY = 1024  # "Naming Amazon S3 objects": bytes
_MOST_DELETED = 1000  # "DeleteObjects": keys a request
OWNER = {"ID": f"{int(ACCOUNT):064x}", "DisplayName": "localaws"}
_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")


class ObjectVerbs:
    """Answers by action."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.actions: dict[str, Callable[[Params], Response]] = {
            "PutObject": self._put,
            "CopyObject": self._copy,
            "GetObject": self._get,
            "HeadObject": self._head,
            "DeleteObject": self._delete,
            "DeleteObjects": self._delete_many,
            "GetObjectAttributes": self._attributes,
            "GetObjectTagging": self._tags,
            "PutObjectTagging": self._put_tags,
            "DeleteObjectTagging": self._drop_tags,
            "GetObjectAcl": self._acl,
            "PutObjectAcl": self._put_acl,
        }

    def _put(self, params: Params) -> Response:
        bucket = params["Bucket"]
        key = checked_key(params["Key"])
        self._store.require_bucket(bucket)
        headers = object_headers.headers_of(params)
        tags = object_headers.tags_of(params.get("Tagging"))
        written = receive(self._store, params, key)
        with self._store.index.write():
            conditions.check_write(params, self._store.head(bucket, key))
            stored = self._store.put(bucket, key, written, Draft(headers=headers, tags=tags))
        sums = {f"Checksum{name}": value for name, value in stored.checksums.items()}
        result = {"ETag": f'"{stored.etag}"', "ChecksumType": "FULL_OBJECT", **sums, **self._version(stored)}
        return {**result, "ServerSideEncryption": headers["ServerSideEncryption"]}

    def _copy(self, params: Params) -> Response:
        source = copy_source(self._store, params)
        conditions.check_read(params, source, "CopySource")
        bucket = params["Bucket"]
        key = checked_key(params["Key"])
        replaces = params.get("MetadataDirective") == "REPLACE"
        retags = params.get("TaggingDirective") == "REPLACE"
        changes = replaces or retags or any(params.get(name) for name in object_headers.OF_THE_OBJECT)
        if (source.bucket, source.key) == (bucket, key) and source.latest and not changes:
            message = (
                "This copy request is illegal because it is trying to copy an object to itself without changing the"
                " object's metadata, storage class, website redirect location or encryption attributes."
            )
            raise AwsError("InvalidRequest", message)
        self._store.require_bucket(bucket)
        algorithm = params.get("ChecksumAlgorithm") or next(iter(source.checksums), "CRC32")
        written = self._store.files.write(blocks_of(source), like=key, algorithms=(algorithm,))
        draft = Draft(
            headers=object_headers.headers_of(params) if replaces else object_headers.headers_of_copy(params, source),
            tags=object_headers.tags_of(params.get("Tagging")) if retags else source.tags,
            call="Copy",
        )
        stored = self._store.put(bucket, key, written, draft)
        result = {"ETag": f'"{stored.etag}"', "LastModified": stored.modified}
        result |= {f"Checksum{name}": value for name, value in stored.checksums.items()}
        copied = {} if source.version == NULL else {"CopySourceVersionId": source.version}
        return {"CopyObjectResult": result, **copied, **self._version(stored)}

    def _get(self, params: Params) -> Response:
        stored, headers, (start, size), partial = self._read(params)
        headers["Body"] = FilePart(stored.path, start, size)
        return {**headers, **({"_status": 206} if partial else {})}

    def _head(self, params: Params) -> Response:
        _, headers, _, partial = self._read(params)
        return {**headers, **({"_status": 206} if partial else {})}

    def _read(self, params: Params) -> tuple[Stored, Response, tuple[int, int], bool]:
        """The version, what to say of it, the stretch asked for, and whether that is part of it only."""
        stored = self._there(params)
        conditions.check_read(params, stored)
        stretch = _stretch(params, stored)
        whole = stretch is None
        start, size = stretch or (0, stored.size)
        headers = object_headers.response_headers(
            stored, with_checksums=whole and params.get("ChecksumMode") == "ENABLED"
        )
        headers |= {name: params[f"Response{name}"] for name in _OVERRIDES if params.get(f"Response{name}")}
        headers["ContentLength"] = size
        if not whole:
            headers["ContentRange"] = f"bytes {start}-{start + size - 1}/{stored.size}"
        if params.get("PartNumber") and stored.parts:
            headers["PartsCount"] = len(stored.parts)
        return stored, headers, (start, size), not whole

    def _there(self, params: Params) -> Stored:
        """The version that a request reads. Raises AwsError NoSuchKey, MethodNotAllowed for a delete marker."""
        version = params.get("VersionId")
        stored = self._store.version(params["Bucket"], params["Key"], version)
        if not stored.marker:
            return stored
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": stored.version}
        if version is None:
            error = no_such_key(stored.key)
            error.fields["_headers"] = headers
            raise error
        message = "The specified method is not allowed against this resource."
        raise AwsError("MethodNotAllowed", message, status=405, _headers=headers)

    def _delete(self, params: Params) -> Response:
        bucket = params["Bucket"]
        key = params["Key"]
        version = params.get("VersionId")
        with self._store.index.write():
            if params.get("IfMatch") is not None:
                conditions.check_write({"IfMatch": params["IfMatch"]}, self._store.head(bucket, key))
            if version is not None:
                gone = self._store.delete_version(bucket, key, version)
                return {"VersionId": version, **({"DeleteMarker": True} if gone and gone.marker else {})}
            marker = self._store.delete(bucket, key)
        return {"DeleteMarker": True, "VersionId": marker.version} if marker else {}

    def _delete_many(self, params: Params) -> Response:
        objects = (params.get("Delete") or {}).get("Objects") or []
        if not 0 < len(objects) <= _MOST_DELETED:
            message = "The XML you provided was not well-formed or did not validate against our published schema"
            raise AwsError("MalformedXML", message)
        self._store.require_bucket(params["Bucket"])
        deleted = []
        errors = []
        for entry in objects:
            try:
                result = self._delete({"Bucket": params["Bucket"], "IfMatch": entry.get("ETag"), **entry})
            except AwsError as error:
                errors.append({"Key": entry["Key"], "Code": error.code, "Message": error.message})
                continue
            deleted.append(_deleted(entry, result))
        quiet = bool((params.get("Delete") or {}).get("Quiet"))
        return {"Deleted": [] if quiet else deleted, "Errors": errors}

    def _attributes(self, params: Params) -> Response:
        stored = self._there(params)
        attributes = {part.strip() for part in ",".join(params.get("ObjectAttributes") or []).split(",")}
        result: Response = {"LastModified": stored.modified, **self._version(stored)}
        if "ETag" in attributes:
            result["ETag"] = stored.etag
        if "ObjectSize" in attributes:
            result["ObjectSize"] = stored.size
        if "StorageClass" in attributes:
            result["StorageClass"] = stored.headers.get("StorageClass", "STANDARD")
        if "Checksum" in attributes and stored.checksums:
            sums = {f"Checksum{name}": value for name, value in stored.checksums.items()}
            result["Checksum"] = {**sums, "ChecksumType": object_headers.checksum_type(stored)}
        if "ObjectParts" in attributes and stored.parts:
            result["ObjectParts"] = {"TotalPartsCount": len(stored.parts), "Parts": stored.parts, "IsTruncated": False}
        return result

    def _tags(self, params: Params) -> Response:
        stored = self._there(params)
        tags = [{"Key": name, "Value": value} for name, value in stored.tags.items()]
        return {"TagSet": tags, **self._version(stored)}

    def _put_tags(self, params: Params) -> Response:
        stored = self._there(params)
        pairs = [(tag.get("Key", ""), tag.get("Value", "")) for tag in params["Tagging"].get("TagSet") or []]
        self._store.set_tags(stored, object_headers.checked_tags(pairs))
        return self._version(stored)

    def _drop_tags(self, params: Params) -> Response:
        stored = self._there(params)
        self._store.set_tags(stored, {})
        return self._version(stored)

    def _acl(self, params: Params) -> Response:
        self._there(params)
        grantee = {**OWNER, "Type": "CanonicalUser"}
        return {"Owner": OWNER, "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}

    def _put_acl(self, params: Params) -> Response:
        self._there(params)
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs")

    def _version(self, stored: Stored) -> Response:
        return {"VersionId": stored.version} if self._store.versioning(stored.bucket) else {}


def checked_key(key: str) -> str:
    """Raises AwsError KeyTooLongError."""
    if len(key.encode()) > _LONGEST_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long", MaxSizeAllowed=_LONGEST_KEY, Size=len(key.encode()))
    return key


def receive(store: Store, params: Params, like: str) -> Written:
    """Write the payload of a request to a file, its checksums compared. Raises AwsError BadDigest, IncompleteBody."""
    source = params.get("Body") or b""
    body = source if isinstance(source, Body) else Body(io.BytesIO(source), {})
    written = store.files.write(body.blocks(), like=like, algorithms=object_headers.algorithms_of(params, body))
    try:
        object_headers.verify(params, body, written)
    except AwsError:
        store.files.remove(written.file)
        raise
    return written


def copy_source(store: Store, params: Params) -> Stored:
    """The version that a copy is made of. Raises AwsError InvalidArgument, NoSuchKey, NoSuchVersion."""
    name, _, query = str(params["CopySource"]).partition("?versionId=")
    bucket, slash, key = unquote(name).lstrip("/").partition("/")
    if not slash or not key:
        raise AwsError("InvalidArgument", "Invalid copy source object key", ArgumentName="x-amz-copy-source")
    stored = store.version(bucket, key, query or None)
    if stored.marker:
        raise no_such_key(key)
    return stored


def blocks_of(stored: Stored, start: int = 0, size: int | None = None) -> "_Blocks":
    """The bytes of an object, block by block."""
    return _Blocks(stored, start, stored.size if size is None else size)


class _Blocks:
    def __init__(self, stored: Stored, start: int, size: int) -> None:
        self._stored = stored
        self._start = start
        self._size = size

    def __iter__(self) -> "Any":
        with self._stored.path.open("rb") as file:
            file.seek(self._start)
            left = self._size
            while left and (block := file.read(min(left, 1 << 20))):
                left -= len(block)
                yield block


def _stretch(params: Params, stored: Stored) -> tuple[int, int] | None:
    number = params.get("PartNumber")
    if not number:
        return conditions.byte_range(params.get("Range"), stored.size)
    if not stored.parts and number == 1:
        return None
    sizes = {part["PartNumber"]: part["Size"] for part in stored.parts}
    if number not in sizes:
        raise AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", status=416)
    return sum(size for part, size in sizes.items() if part < number), sizes[number]


def _deleted(entry: Params, result: Response) -> Response:
    deleted = {"Key": entry["Key"]}
    if entry.get("VersionId"):
        deleted["VersionId"] = entry["VersionId"]
        return {**deleted, **({"DeleteMarker": True} if result.get("DeleteMarker") else {})}
    if result.get("DeleteMarker"):
        return {**deleted, "DeleteMarker": True, "DeleteMarkerVersionId": result["VersionId"]}
    return deleted
