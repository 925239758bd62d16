"""Listing a bucket of the local S3: order, pages, common prefixes, versions."""

import pytest

KEYS = sorted(["a", "b/1", "b/2", "b/c/3", "b/c/4", "c", "d/😀", "ü", "\U0010ffff", "z+ z"], key=str.encode)


@pytest.fixture
def filled(s3, bucket):
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    return bucket


@pytest.mark.parametrize("verb", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_hold_every_key_once_in_byte_order(s3, filled, verb, size):
    pages = s3.get_paginator(verb).paginate(Bucket=filled, PaginationConfig={"PageSize": size})
    assert [entry["Key"] for page in pages for entry in page.get("Contents", [])] == KEYS


@pytest.mark.parametrize("verb", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_delimiter_rolls_keys_up(s3, filled, verb, size):
    pages = s3.get_paginator(verb).paginate(Bucket=filled, Delimiter="/", PaginationConfig={"PageSize": size})
    pages = list(pages)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    prefixes = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    assert keys == [key for key in KEYS if "/" not in key]
    assert prefixes == ["b/", "d/"]


def test_a_prefix_and_a_start_narrow_the_listing(s3, filled):
    result = s3.list_objects_v2(Bucket=filled, Prefix="b/", StartAfter="b/1", Delimiter="/")
    assert [entry["Key"] for entry in result["Contents"]] == ["b/2"]
    assert [entry["Prefix"] for entry in result["CommonPrefixes"]] == ["b/c/"]
    assert result["KeyCount"] == 2


def test_versions_are_kept_and_a_deletion_is_one_of_them(s3, bucket):
    """Page "How S3 Versioning works"."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"first")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"second")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    listed = s3.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in listed["Versions"]] == [second, first, "null"]
    assert [version["IsLatest"] for version in listed["DeleteMarkers"]] == [True]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"first"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=second)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"


def test_versions_are_paged(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    created = [s3.put_object(Bucket=bucket, Key=key, Body=b"")["VersionId"] for key in "aab" for _ in range(2)]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    result = [version["VersionId"] for page in pages for version in page.get("Versions", [])]
    assert result == [*reversed(created[:4]), *reversed(created[4:])]
