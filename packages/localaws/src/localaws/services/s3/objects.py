"""The verbs about one object: put, get, head, copy, delete, and its attributes and tags."""

import io
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.services.s3 import conditions, object_headers
from localaws.services.s3.blobs import Written
from localaws.services.s3.chunked import Body
from localaws.services.s3.store import NULL, Draft, Store, Stored, no_such_key
from localaws.wire.request import FilePart

Params = Mapping[str, Any]
Result = dict[str, Any]
_LONGEST_KEY = 1024  # "Naming Amazon S3 objects": bytes
_MOST_DELETED = 1000  # "DeleteObjects": keys a request
OWNER = {"ID": f"{int(ACCOUNT):064x}", "DisplayName": "localaws"}
_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")


class ObjectVerbs:
    """Answers by action."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.actions: dict[str, Callable[[Params], Result]] = {
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

    def _put(self, params: Params) -> Result:
        bucket, key = params["Bucket"], checked_key(params["Key"])
        self._store.require_bucket(bucket)
        headers, tags = object_headers.headers_of(params), object_headers.tags_of(params.get("Tagging"))
        written = receive(self._store, params, key)
        with self._store.index.write():
            conditions.check_write(params, self._store.head(bucket, key))
            stored = self._store.put(bucket, key, written, Draft(headers=headers, tags=tags))
        sums = {f"Checksum{name}": value for name, value in stored.checksums.items()}
        said = {"ETag": f'"{stored.etag}"', "ChecksumType": "FULL_OBJECT", **sums, **self._version(stored)}
        return {**said, "ServerSideEncryption": headers["ServerSideEncryption"]}

    def _copy(self, params: Params) -> Result:
        source = copy_source(self._store, params)
        conditions.check_read(params, source, "CopySource")
        bucket, key = params["Bucket"], checked_key(params["Key"])
        replaces = params.get("MetadataDirective") == "REPLACE"
        retags = params.get("TaggingDirective") == "REPLACE"
        if (source.bucket, source.key) == (bucket, key) and source.latest and not (replaces or retags):
            said = (
                "This copy request is illegal because it is trying to copy an object to itself without changing the"
                " object's metadata, storage class, website redirect location or encryption attributes."
            )
            raise AwsError("InvalidRequest", said)
        self._store.require_bucket(bucket)
        algorithm = params.get("ChecksumAlgorithm") or next(iter(source.checksums), "CRC32")
        written = self._store.files.write(blocks_of(source), like=key, algorithms=(algorithm,))
        draft = Draft(
            headers=object_headers.headers_of(params) if replaces else source.headers,
            tags=object_headers.tags_of(params.get("Tagging")) if retags else source.tags,
        )
        stored = self._store.put(bucket, key, written, draft)
        result = {"ETag": f'"{stored.etag}"', "LastModified": stored.modified}
        result |= {f"Checksum{name}": value for name, value in stored.checksums.items()}
        copied = {} if source.version == NULL else {"CopySourceVersionId": source.version}
        return {"CopyObjectResult": result, **copied, **self._version(stored)}

    def _get(self, params: Params) -> Result:
        one, said, (start, size), partial = self._read(params)
        said["Body"] = FilePart(one.path, start, size)
        return {**said, **({"_status": 206} if partial else {})}

    def _head(self, params: Params) -> Result:
        _, said, _, partial = self._read(params)
        return {**said, **({"_status": 206} if partial else {})}

    def _read(self, params: Params) -> tuple[Stored, Result, tuple[int, int], bool]:
        """The version, what to say of it, the stretch asked for, and whether that is part of it only."""
        one = self._there(params)
        conditions.check_read(params, one)
        stretch = _stretch(params, one)
        whole = stretch is None
        start, size = stretch or (0, one.size)
        said = object_headers.said_of(one, with_checksums=whole and params.get("ChecksumMode") == "ENABLED")
        said |= {name: params[f"Response{name}"] for name in _OVERRIDES if params.get(f"Response{name}")}
        said["ContentLength"] = size
        if not whole:
            said["ContentRange"] = f"bytes {start}-{start + size - 1}/{one.size}"
        if params.get("PartNumber") and one.parts:
            said["PartsCount"] = len(one.parts)
        return one, said, (start, size), not whole

    def _there(self, params: Params) -> Stored:
        """The version that a request reads. Raises AwsError NoSuchKey, MethodNotAllowed for a delete marker."""
        version = params.get("VersionId")
        one = self._store.version(params["Bucket"], params["Key"], version)
        if not one.marker:
            return one
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": one.version}
        if version is None:
            error = no_such_key(one.key)
            error.fields["_headers"] = headers
            raise error
        said = "The specified method is not allowed against this resource."
        raise AwsError("MethodNotAllowed", said, status=405, _headers=headers)

    def _delete(self, params: Params) -> Result:
        bucket, key, version = params["Bucket"], params["Key"], params.get("VersionId")
        with self._store.index.write():
            if params.get("IfMatch") is not None:
                conditions.check_write({"IfMatch": params["IfMatch"]}, self._store.head(bucket, key))
            if version is not None:
                gone = self._store.delete_version(bucket, key, version)
                return {"VersionId": version, **({"DeleteMarker": True} if gone and gone.marker else {})}
            marker = self._store.delete(bucket, key)
        return {"DeleteMarker": True, "VersionId": marker.version} if marker else {}

    def _delete_many(self, params: Params) -> Result:
        wanted = (params.get("Delete") or {}).get("Objects") or []
        if not 0 < len(wanted) <= _MOST_DELETED:
            said = "The XML you provided was not well-formed or did not validate against our published schema"
            raise AwsError("MalformedXML", said)
        self._store.require_bucket(params["Bucket"])
        deleted, errors = [], []
        for one in wanted:
            try:
                result = self._delete({"Bucket": params["Bucket"], "IfMatch": one.get("ETag"), **one})
            except AwsError as error:
                errors.append({"Key": one["Key"], "Code": error.code, "Message": error.message})
                continue
            deleted.append(_deleted(one, result))
        quiet = bool((params.get("Delete") or {}).get("Quiet"))
        return {"Deleted": [] if quiet else deleted, "Errors": errors}

    def _attributes(self, params: Params) -> Result:
        one = self._there(params)
        asked = {part.strip() for part in ",".join(params.get("ObjectAttributes") or []).split(",")}
        said: Result = {"LastModified": one.modified, **self._version(one)}
        if "ETag" in asked:
            said["ETag"] = one.etag
        if "ObjectSize" in asked:
            said["ObjectSize"] = one.size
        if "StorageClass" in asked:
            said["StorageClass"] = one.headers.get("StorageClass", "STANDARD")
        if "Checksum" in asked and one.checksums:
            sums = {f"Checksum{name}": value for name, value in one.checksums.items()}
            said["Checksum"] = {**sums, "ChecksumType": object_headers.checksum_type(one)}
        if "ObjectParts" in asked and one.parts:
            said["ObjectParts"] = {"TotalPartsCount": len(one.parts), "Parts": one.parts, "IsTruncated": False}
        return said

    def _tags(self, params: Params) -> Result:
        one = self._there(params)
        tags = [{"Key": name, "Value": value} for name, value in one.tags.items()]
        return {"TagSet": tags, **self._version(one)}

    def _put_tags(self, params: Params) -> Result:
        one = self._there(params)
        pairs = [(tag.get("Key", ""), tag.get("Value", "")) for tag in params["Tagging"].get("TagSet") or []]
        self._store.set_tags(one, object_headers.checked_tags(pairs))
        return self._version(one)

    def _drop_tags(self, params: Params) -> Result:
        one = self._there(params)
        self._store.set_tags(one, {})
        return self._version(one)

    def _acl(self, params: Params) -> Result:
        self._there(params)
        grantee = {**OWNER, "Type": "CanonicalUser"}
        return {"Owner": OWNER, "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}

    def _put_acl(self, params: Params) -> Result:
        self._there(params)
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs")

    def _version(self, one: Stored) -> Result:
        return {"VersionId": one.version} if self._store.versioning(one.bucket) else {}


def checked_key(key: str) -> str:
    """Raises AwsError KeyTooLongError."""
    if len(key.encode()) > _LONGEST_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long", MaxSizeAllowed=_LONGEST_KEY, Size=len(key.encode()))
    return key


def receive(store: Store, params: Params, like: str) -> Written:
    """Write the payload of a request to a file, its checksums compared. Raises AwsError BadDigest, IncompleteBody."""
    given = params.get("Body") or b""
    body = given if isinstance(given, Body) else Body(io.BytesIO(given), {})
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
    one = store.version(bucket, key, query or None)
    if one.marker:
        raise no_such_key(key)
    return one


def blocks_of(one: Stored, start: int = 0, size: int | None = None) -> "_Blocks":
    """The bytes of an object, block by block."""
    return _Blocks(one, start, one.size if size is None else size)


class _Blocks:
    def __init__(self, one: Stored, start: int, size: int) -> None:
        self._one, self._start, self._size = one, start, size

    def __iter__(self) -> "Any":
        with self._one.path.open("rb") as file:
            file.seek(self._start)
            left = self._size
            while left and (block := file.read(min(left, 1 << 20))):
                left -= len(block)
                yield block


def _stretch(params: Params, one: Stored) -> tuple[int, int] | None:
    number = params.get("PartNumber")
    if not number:
        return conditions.byte_range(params.get("Range"), one.size)
    if not one.parts and number == 1:
        return None
    sizes = {part["PartNumber"]: part["Size"] for part in one.parts}
    if number not in sizes:
        raise AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", status=416)
    return sum(size for part, size in sizes.items() if part < number), sizes[number]


def _deleted(asked: Params, result: Result) -> Result:
    said = {"Key": asked["Key"]}
    if asked.get("VersionId"):
        said["VersionId"] = asked["VersionId"]
        return {**said, **({"DeleteMarker": True} if result.get("DeleteMarker") else {})}
    if result.get("DeleteMarker"):
        return {**said, "DeleteMarker": True, "DeleteMarkerVersionId": result["VersionId"]}
    return said
