"""Objects of the local S3: what is put is what is got, in every way of asking."""

import hashlib
import io
import urllib.error
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


def code_of(call):
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("key", ["plain", "a b/ü+%20/?#&=//x", "/leading", "trailing/", "日本/😀.gz", "a" * 1024])
def test_any_key_keeps_its_bytes(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"bytes")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"bytes"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


def test_what_is_said_of_an_object_is_said_again(s3, bucket):
    output = {
        "ContentType": "text/x",
        "CacheControl": "no-store",
        "ContentEncoding": "gzip",
        "ContentDisposition": "inline",
        "Metadata": {"some-name": "value"},
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **output)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert {name: head[name] for name in output} == output
    assert head["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_is_compared_kept_and_told(s3, bucket, algorithm):
    """Page "Checking object integrity in Amazon S3"."""
    put = s3.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(b"hello" * 1000), ChecksumAlgorithm=algorithm)
    response = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert response["Body"].read() == b"hello" * 1000
    assert response[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumCRC32="AAAAAA==")) == "BadDigest"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello" * 1000


@pytest.mark.parametrize(
    ("header", "expected", "of"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_is_a_part_of_the_bytes(s3, bucket, header, expected, of):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    part = s3.get_object(Bucket=bucket, Key="k", Range=header)
    assert (part["Body"].read(), part["ContentRange"]) == (expected, of)
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_behind_the_end_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-")) == "InvalidRange"


def test_conditions_are_held_to(s3, bucket):
    """Page "Add preconditions to S3 operations with conditional requests"."""
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"one", IfNoneMatch="*")["ETag"]
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", IfNoneMatch="*")) == "PreconditionFailed"
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", IfMatch='"no"')) == "PreconditionFailed"
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=tag)) == "304"
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k", IfMatch='"no"')) == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfMatch=tag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"


def test_only_one_of_many_first_writers_wins(aws, s3, bucket):
    from concurrent.futures import ThreadPoolExecutor

    def write(number):
        try:
            aws.client("s3").put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "won"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["won"]


def test_a_copy_takes_the_metadata_or_replaces_it(s3, bucket):
    source = {"Bucket": bucket, "Key": "from ü"}
    s3.put_object(Bucket=bucket, Key="from ü", Body=b"x", Metadata={"a": "1"}, Tagging="t=1")
    s3.copy_object(Bucket=bucket, Key="kept", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.head_object(Bucket=bucket, Key="kept")["Metadata"] == {"a": "1"}
    assert s3.head_object(Bucket=bucket, Key="new")["Metadata"] == {"b": "2"}
    assert s3.get_object_tagging(Bucket=bucket, Key="kept")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert code_of(lambda: s3.copy_object(**source, CopySource=source)) == "InvalidRequest"


def test_a_copy_has_an_encryption_and_a_storage_class_of_its_own(s3, bucket):
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/k"}
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x", ContentType="text/csv", StorageClass="STANDARD_IA")
    s3.copy_object(Bucket=bucket, Key="encrypted", CopySource=f"{bucket}/plain", **encryption)
    copied = s3.head_object(Bucket=bucket, Key="encrypted")
    assert {name: copied[name] for name in encryption} == encryption
    assert copied["ContentType"] == "text/csv"
    assert "StorageClass" not in copied
    s3.copy_object(Bucket=bucket, Key="again", CopySource=f"{bucket}/encrypted")
    assert s3.head_object(Bucket=bucket, Key="again")["ServerSideEncryption"] == "AES256"
    s3.copy_object(Bucket=bucket, Key="plain", CopySource=f"{bucket}/plain", **encryption)
    assert s3.head_object(Bucket=bucket, Key="plain")["ServerSideEncryption"] == "aws:kms"


def test_tags_are_set_and_taken_away(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=b&c=d%20e")
    assert len(s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]) == 2
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    many = {"TagSet": [{"Key": str(number), "Value": ""} for number in range(11)]}
    assert code_of(lambda: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=many)) == "BadRequest"


def test_metadata_and_tags_are_taken_up_to_their_last_byte(s3, bucket):
    """Pages "Working with object metadata", "Categorizing your objects using tags"."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata={"ab": "x" * 1000, "c": "x" * 1045})
    more = {"ab": "x" * 1000, "c": "x" * 1046}
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata=more)) == "MetadataTooLarge"
    ten = [{"Key": f"{number}".ljust(128, "k"), "Value": "v" * 256} for number in range(10)]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": ten})
    assert len(s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]) == 10
    for key, value in (("k" * 129, ""), ("k", "v" * 257)):
        wrong = {"TagSet": [{"Key": key, "Value": value}]}
        assert code_of(lambda tags=wrong: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tags)) == "InvalidTag"


def test_what_is_not_there_is_said_by_its_name(s3, bucket):
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="none")) == "NoSuchKey"
    assert code_of(lambda: s3.get_object(Bucket="bucket-of-nobody", Key="none")) == "NoSuchBucket"
    assert code_of(lambda: s3.head_object(Bucket=bucket, Key="none")) == "404"
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_bucket_with_objects_cannot_be_deleted(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(lambda: s3.delete_bucket(Bucket=bucket)) == "BucketNotEmpty"
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    s3.delete_bucket(Bucket=bucket)
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"")) == "NoSuchBucket"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_reads_and_writes(aws, s3, bucket, version):
    signing = aws.client("s3", config=Config(signature_version=version))
    put = signing.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b"})
    with urllib.request.urlopen(urllib.request.Request(put, method="PUT", data=b"z", headers={"Content-Type": ""})):
        pass
    get = signing.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"})
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"z"
