"""Clients other than boto3 that sign for themselves, on a server that checks no policy: their signatures fit."""

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import pytest


def test_pyarrows_file_system_writes_and_reads_with_the_roots_key(aws, s3, bucket):
    files = pa.fs.S3FileSystem(
        access_key=aws.root.key,
        secret_key=aws.root.secret,
        region="us-east-1",
        scheme="http",
        request_timeout=60,
        connect_timeout=60,
        endpoint_override=aws.endpoint.removeprefix("http://"),
    )
    table = pa.table({"author": ["a", "b c"], "posts": [1, 2]})
    pa.parquet.write_table(table, f"{bucket}/day=2026-11-24/Größe & mehr=1+1.parquet", filesystem=files)
    with files.open_output_stream(f"{bucket}/large") as stream:
        stream.write(b"x" * (11 << 20))  # in parts
    assert pa.parquet.read_table(f"{bucket}/day=2026-11-24", filesystem=files).column("posts").to_pylist() == [1, 2]
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == 11 << 20
    result = files.get_file_info(pa.fs.FileSelector(bucket, recursive=True))
    assert {info.base_name for info in result if info.is_file} == {"Größe & mehr=1+1.parquet", "large"}


@pytest.mark.parametrize("keys", [{"anonymous": True}, {"access_key": "localaws", "secret_key": "localaws"}])
def test_pyarrows_file_system_reads_nothing_without_a_known_key(aws, s3, bucket, keys):
    s3.put_object(Bucket=bucket, Key="k", Body=b"private")
    where = {"region": "us-east-1", "scheme": "http", "endpoint_override": aws.endpoint.removeprefix("http://")}
    with pytest.raises(OSError, match=r"ACCESS_DENIED|SIGNATURE|403"):
        pa.fs.S3FileSystem(**keys, **where).open_input_file(f"{bucket}/k").read()
