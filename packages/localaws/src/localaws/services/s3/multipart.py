"""The verbs of multipart uploads."""

from collections.abc import Callable

from localaws.core.cloud import AwsError
from localaws.core.shapes import Params, Response
from localaws.services.s3 import conditions, object_headers
from localaws.services.s3.objects import OWNER, blocks_of, checked_key, copy_source, receive
from localaws.services.s3.store import Store
from localaws.services.s3.uploads import Upload, Uploads

_MOST_PARTS = 10_000  # "Amazon S3 multipart upload limits"
_PAGE = 1000


class MultipartVerbs:
    """Answers by action."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._uploads = Uploads(store)
        self.actions: dict[str, Callable[[Params], Response]] = {
            "CreateMultipartUpload": self._begin,
            "UploadPart": self._part,
            "UploadPartCopy": self._part_copy,
            "CompleteMultipartUpload": self._complete,
            "AbortMultipartUpload": self._abort,
            "ListParts": self._parts,
            "ListMultipartUploads": self._list,
        }

    def _begin(self, params: Params) -> Response:
        headers = object_headers.headers_of(params)
        tags = object_headers.tags_of(params.get("Tagging"))
        algorithm = params.get("ChecksumAlgorithm") or ""
        upload = self._uploads.begin(params["Bucket"], checked_key(params["Key"]), headers, tags, algorithm)
        result = {"Bucket": params["Bucket"], "Key": params["Key"], "UploadId": upload}
        return {**result, **({"ChecksumAlgorithm": algorithm, "ChecksumType": "COMPOSITE"} if algorithm else {})}

    def _upload(self, params: Params) -> Upload:
        return self._uploads.get(params["Bucket"], params["Key"], params["UploadId"])

    def _part(self, params: Params) -> Response:
        upload = self._upload(params)
        number = _number(params)
        written = receive(self._store, params, upload.key)
        self._uploads.put_part(upload, number, written)
        return {"ETag": f'"{written.md5}"', **{f"Checksum{name}": value for name, value in written.checksums.items()}}

    def _part_copy(self, params: Params) -> Response:
        upload = self._upload(params)
        number = _number(params)
        source = copy_source(self._store, params)
        conditions.check_read(params, source, "CopySource")
        start, size = conditions.byte_range(params.get("CopySourceRange"), source.size) or (0, source.size)
        algorithms = (upload.algorithm or "CRC32",)
        written = self._store.files.write(blocks_of(source, start, size), like=upload.key, algorithms=algorithms)
        self._uploads.put_part(upload, number, written)
        sums = {f"Checksum{name}": value for name, value in written.checksums.items()}
        return {"CopyPartResult": {"ETag": f'"{written.md5}"', "LastModified": source.modified, **sums}}

    def _complete(self, params: Params) -> Response:
        upload = self._upload(params)
        conditions.check_write(params, self._store.head(upload.bucket, upload.key))
        stored = self._uploads.complete(upload, (params.get("MultipartUpload") or {}).get("Parts") or [])
        result = {"Bucket": upload.bucket, "Key": upload.key, "ETag": f'"{stored.etag}"'}
        result |= {f"Checksum{name}": value for name, value in stored.checksums.items()}
        result["Location"] = f"http://{upload.bucket}.s3.amazonaws.com/{upload.key}"
        return {**result, **({"VersionId": stored.version} if self._store.versioning(upload.bucket) else {})}

    def _abort(self, params: Params) -> Response:
        self._uploads.abort(self._upload(params))
        return {}

    def _parts(self, params: Params) -> Response:
        upload = self._upload(params)
        after = int(params.get("PartNumberMarker") or 0)
        most = min(int(params.get("MaxParts") or _PAGE), _PAGE)
        parts = self._uploads.parts(upload.id, after)
        shown = [
            {"PartNumber": part.number, "LastModified": part.modified, "ETag": f'"{part.etag}"', "Size": part.size}
            | {f"Checksum{name}": value for name, value in part.checksums.items()}
            for part in parts[:most]
        ]
        result: Response = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id, "Parts": shown}
        result |= {"MaxParts": most, "PartNumberMarker": after, "IsTruncated": len(parts) > most}
        result |= {"StorageClass": upload.headers.get("StorageClass", "STANDARD"), "Owner": OWNER, "Initiator": OWNER}
        return {**result, **({"NextPartNumberMarker": shown[-1]["PartNumber"]} if shown else {})}

    def _list(self, params: Params) -> Response:
        prefix = params.get("Prefix") or ""
        most = min(int(params.get("MaxUploads", _PAGE)), _PAGE)
        marker = (params.get("KeyMarker") or "", params.get("UploadIdMarker") or "")
        uploads = self._uploads.under_way(params["Bucket"], prefix)
        uploads = [
            upload
            for upload in uploads
            if upload.key > marker[0] or (upload.key == marker[0] and upload.id > marker[1] != "")
        ]
        shown = [
            {
                "UploadId": upload.id,
                "Key": upload.key,
                "Initiated": upload.begun,
                "StorageClass": "STANDARD",
                "Owner": OWNER,
                "Initiator": OWNER,
            }
            for upload in uploads[:most]
        ]
        result: Response = {"Bucket": params["Bucket"], "Prefix": prefix, "MaxUploads": most, "Uploads": shown}
        result |= {"KeyMarker": marker[0], "UploadIdMarker": marker[1], "IsTruncated": len(uploads) > most}
        if len(uploads) > most and shown:
            result |= {"NextKeyMarker": shown[-1]["Key"], "NextUploadIdMarker": shown[-1]["UploadId"]}
        return result


def _number(params: Params) -> int:
    number = int(params["PartNumber"])
    if not 1 <= number <= _MOST_PARTS:
        raise AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    return number
