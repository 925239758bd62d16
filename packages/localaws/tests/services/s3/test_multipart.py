"""Multipart uploads of the local S3."""

import hashlib
import io

import pytest
from botocore.exceptions import ClientError

MIB = 1 << 20


def test_a_large_file_comes_back_whole(s3, bucket):
    body = bytes(range(256)) * (4096 * 9)
    s3.upload_fileobj(io.BytesIO(body), bucket, "large.bin")
    assert s3.get_object(Bucket=bucket, Key="large.bin")["Body"].read() == body
    parts = [hashlib.md5(body[start : start + 8 * MIB]).digest() for start in range(0, len(body), 8 * MIB)]
    assert s3.head_object(Bucket=bucket, Key="large.bin")["ETag"] == (
        f'"{hashlib.md5(b"".join(parts)).hexdigest()}-{len(parts)}"'
    )


def test_parts_are_listed_copied_replaced_and_put_together(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"m": "1"})["UploadId"]
    item = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    s3.upload_part(**item, PartNumber=1, Body=b"old")
    first = s3.upload_part(**item, PartNumber=1, Body=b"x" * (5 * MIB))["ETag"]
    copied = s3.upload_part_copy(
        **item, PartNumber=2, CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange="bytes=2-4"
    )["CopyPartResult"]["ETag"]
    assert [part["Size"] for part in s3.list_parts(**item)["Parts"]] == [5 * MIB, 3]
    assert [result["Key"] for result in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["k"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": copied}]
    s3.complete_multipart_upload(**item, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=2)["Body"].read() == b"234"
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"m": "1"}
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([(1, "wrong"), (2, None)], "InvalidPart"),
        ([(2, None), (1, None)], "InvalidPartOrder"),
        ([(1, None), (3, None)], "InvalidPart"),
        ([(1, None), (2, None)], "EntityTooSmall"),
    ],
)
def test_parts_that_do_not_fit_are_refused(s3, bucket, parts, code):
    """Page "CompleteMultipartUpload"."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    tags = {
        number: s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=b"small")["ETag"]
        for number in (1, 2)
    }
    named = [{"PartNumber": number, "ETag": tag or tags.get(number, '"none"')} for number, tag in parts]
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": named})
    assert refused.value.response["Error"]["Code"] == code


def test_an_aborted_upload_is_gone(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)
