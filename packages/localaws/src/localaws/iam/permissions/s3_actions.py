"""What calls of S3 need permission for: "Required permissions for Amazon S3 API operations"."""

from urllib.parse import unquote

from localaws.core.shapes import Params

_OBJECT = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObject": "DeleteObject",
    "DeleteObjectTagging": "DeleteObjectTagging",
    "GetObject": "GetObject",
    "GetObjectAcl": "GetObjectAcl",
    "GetObjectAttributes": "GetObject",
    "GetObjectTagging": "GetObjectTagging",
    "HeadObject": "GetObject",
    "ListParts": "ListMultipartUploadParts",
    "PutObject": "PutObject",
    "PutObjectAcl": "PutObjectAcl",
    "PutObjectTagging": "PutObjectTagging",
    "UploadPart": "PutObject",
}
_OF_VERSIONS = {
    "DeleteObject", "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectTagging", "PutObjectAcl",
    "PutObjectTagging",
}  # fmt: skip
# Actions about buckets whose permission has another name.
_BUCKET = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
}


def pairs(action: str, params: Params) -> list[tuple[str, str]]:
    """(action, resource ARN) of each permission that a call needs."""
    bucket = f"arn:aws:s3:::{params.get('Bucket', '')}"
    if action == "ListBuckets":
        return [("s3:ListAllMyBuckets", "*")]
    if action == "DeleteObjects":
        return _deletions(bucket, params)
    if action in ("CopyObject", "UploadPartCopy"):
        return [_source(params), ("s3:PutObject", f"{bucket}/{params.get('Key', '')}")]
    if action in _OBJECT:
        name = _OBJECT[action]
        if params.get("VersionId") and name in _OF_VERSIONS:
            name = name.replace("Object", "ObjectVersion", 1)
        needed = [(f"s3:{name}", f"{bucket}/{params.get('Key', '')}")]
        if params.get("Tagging") and action in ("PutObject", "CreateMultipartUpload"):
            needed.append(("s3:PutObjectTagging", f"{bucket}/{params.get('Key', '')}"))
        return needed
    return [(f"s3:{_BUCKET.get(action, action)}", bucket if params.get("Bucket") else "*")]


def _deletions(bucket: str, params: Params) -> list[tuple[str, str]]:
    objects = (params.get("Delete") or {}).get("Objects") or []
    return [
        ("s3:DeleteObjectVersion" if entry.get("VersionId") else "s3:DeleteObject", f"{bucket}/{entry.get('Key', '')}")
        for entry in objects
    ] or [("s3:DeleteObject", f"{bucket}/*")]


def _source(params: Params) -> tuple[str, str]:
    name, versioned, _ = str(params.get("CopySource", "")).partition("?versionId=")
    action = "s3:GetObjectVersion" if versioned else "s3:GetObject"
    return action, f"arn:aws:s3:::{unquote(name).lstrip('/')}"
