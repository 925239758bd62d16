"""What a request says of an object that it puts: headers to keep, tags, checksums; and how they are said again."""

from base64 import b64decode
from datetime import datetime
from urllib.parse import parse_qsl

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Params, Response
from localaws.services.s3 import checksums
from localaws.services.s3.blobs import Written
from localaws.services.s3.chunked import Body
from localaws.services.s3.store import NULL, Stored

# Members of PutObject that GetObject says again, and HeadObject.
_KEPT = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires", "Metadata",
    "StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled",
)  # fmt: skip
OF_THE_OBJECT = (
    "StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled",
)  # fmt: skip
_MOST_METADATA = 2048  # "Working with object metadata": bytes of all names and values
_MOST_TAGS = 10
_LONGEST_TAG = 128
_LONGEST_VALUE = 256  # "Categorizing your objects using tags"


def headers_of(params: Params) -> Response:
    """What is kept with the object. Raises AwsError MetadataTooLarge."""
    headers = {name: params[name] for name in _KEPT if params.get(name) not in (None, "", {})}
    encodings = [encoding.strip() for encoding in str(headers.pop("ContentEncoding", "")).split(",")]
    if plain := [encoding for encoding in encodings if encoding and encoding != "aws-chunked"]:
        headers["ContentEncoding"] = ",".join(plain)
    if isinstance(headers.get("Expires"), datetime):
        headers["Expires"] = headers["Expires"].isoformat()
    if sum(len(name) + len(str(text)) for name, text in headers.get("Metadata", {}).items()) > _MOST_METADATA:
        raise AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    return {"ContentType": "binary/octet-stream", "ServerSideEncryption": "AES256", **headers}


def headers_of_copy(params: Params, source: Stored) -> Response:
    """Those of a copy: the source's, but for what belongs to the object and not to its content ("CopyObject")."""
    requested = headers_of({name: params[name] for name in OF_THE_OBJECT if name in params})
    own = {name: value for name, value in requested.items() if name in OF_THE_OBJECT}
    return {**{name: value for name, value in source.headers.items() if name not in OF_THE_OBJECT}, **own}


def tags_of(tagging: str | None) -> dict[str, str]:
    """The tags of an x-amz-tagging header. Raises AwsError InvalidArgument, InvalidTag."""
    return checked_tags(parse_qsl(tagging or "", keep_blank_values=True))


def checked_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Tags by name. Raises AwsError BadRequest, InvalidTag."""
    if len(pairs) > _MOST_TAGS:
        raise AwsError("BadRequest", "Object tags cannot be greater than 10")
    if len({name for name, _ in pairs}) < len(pairs):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key")
    for name, value in pairs:
        if not 0 < len(name) <= _LONGEST_TAG or len(value) > _LONGEST_VALUE:
            raise AwsError("InvalidTag", "The TagKey or TagValue you have provided is invalid")
    return dict(pairs)


def algorithms_of(params: Params, body: Body) -> list[str]:
    """The checksums to compute while the body is read: those that the request names, else CRC32."""
    algorithms = [name for name in checksums.ALGORITHMS if params.get(f"Checksum{name}")]
    algorithms += [checksums.HEADERS[trailer] for trailer in body.trailer_names if trailer in checksums.HEADERS]
    if params.get("ChecksumAlgorithm") in checksums.ALGORITHMS:
        algorithms.append(params["ChecksumAlgorithm"])
    return list(dict.fromkeys(algorithms)) or ["CRC32"]


def verify(params: Params, body: Body, written: Written) -> None:
    """Compare what was received with what the request said of it. Raises AwsError BadDigest, InvalidDigest."""
    if sent := params.get("ContentMD5"):
        try:
            digest = b64decode(sent, validate=True).hex()
        except ValueError as error:
            raise AwsError("InvalidDigest", "The Content-MD5 you specified is not valid.") from error
        if digest != written.md5:
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for name, value in written.checksums.items():
        expected = params.get(f"Checksum{name}") or body.trailers.get(f"x-amz-checksum-{name.lower()}")
        if expected and expected != value:
            raise AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")


def response_headers(stored: Stored, *, with_checksums: bool) -> Document:
    """What GetObject and HeadObject say of a version, besides the bytes asked for."""
    headers: Document = {
        **stored.headers,
        "ETag": f'"{stored.etag}"',
        "LastModified": stored.modified,
        "AcceptRanges": "bytes",
        **versioned(stored),
    }
    if stored.tags:
        headers["TagCount"] = len(stored.tags)
    if with_checksums:
        headers |= {f"Checksum{name}": value for name, value in stored.checksums.items()}
        headers |= {"ChecksumType": checksum_type(stored)} if stored.checksums else {}
    if headers.get("StorageClass") == "STANDARD":  # "HeadObject": not said of S3 Standard
        del headers["StorageClass"]
    return headers


def checksum_type(stored: Stored) -> str:
    return "COMPOSITE" if any("-" in value for value in stored.checksums.values()) else "FULL_OBJECT"


def versioned(stored: Stored) -> Document:
    """The version's name, where the bucket keeps versions."""
    return {} if stored.version == NULL and stored.latest else {"VersionId": stored.version}
