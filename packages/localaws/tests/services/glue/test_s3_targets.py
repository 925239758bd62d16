"""The Glue crawler on paths in S3 ("How crawlers work", "Built-in classifiers", Glue developer guide)."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("paths"), speed=600) as aws:
        aws.client("iam").create_role(RoleName="crawler", AssumeRolePolicyDocument=json.dumps(TRUST))
        yield aws


class Lake:
    """A bucket, a database and a crawler of one name."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        self.aws, self.name = aws, name
        aws.client("s3").create_bucket(Bucket=name)
        aws.client("glue").create_database(DatabaseInput={"Name": name})

    def put(self, key: str, body: bytes | list[dict[str, Any]]) -> None:
        text = body if isinstance(body, bytes) else b"".join(json.dumps(item).encode() + b"\n" for item in body)
        self.aws.client("s3").put_object(Bucket=self.name, Key=key, Body=text)

    def define(self, path: str = "data/", exclusions: list[str] | None = None, **options: Any) -> None:
        target = {"Path": f"s3://{self.name}/{path}", **({"Exclusions": exclusions} if exclusions else {})}
        self.aws.client("glue").create_crawler(
            Name=self.name, Role="crawler", DatabaseName=self.name, Targets={"S3Targets": [target]}, **options
        )

    def crawl(self) -> dict[str, Any]:
        """Run the crawler; returns LastCrawl."""
        glue = self.aws.client("glue")
        glue.start_crawler(Name=self.name)
        wait_for(lambda: glue.get_crawler(Name=self.name)["Crawler"]["State"] == "READY", what="the crawl")
        return dict(glue.get_crawler(Name=self.name)["Crawler"]["LastCrawl"])

    def tables(self) -> dict[str, Any]:
        return {item["Name"]: item for item in self.aws.client("glue").get_tables(DatabaseName=self.name)["TableList"]}

    def columns(self, table: str) -> dict[str, str]:
        return {item["Name"]: item["Type"] for item in self.tables()[table]["StorageDescriptor"]["Columns"]}

    def values(self, table: str) -> set[tuple[str, ...]]:
        result = self.aws.client("glue").get_partitions(DatabaseName=self.name, TableName=table)["Partitions"]
        return {tuple(partition["Values"]) for partition in result}


@pytest.fixture
def lake(aws: LocalAws, request: pytest.FixtureRequest) -> Lake:
    return Lake(aws, request.node.name.removeprefix("test_").replace("_", "-")[:60].rstrip("-"))


def test_types_are_merged_over_rows_and_partitions(lake: Lake) -> None:
    lake.put("data/dt=1/a.json", [{"id": 1, "n": 1, "tags": ["a"], "who": {"name": "x"}, "odd": 1}])
    second = [{"ID": 2**40, "n": 1.5, "tags": [], "who": {"name": "y", "age": 3}, "odd": "x"}]
    lake.put("data/dt=2/a.json", second)
    lake.define()
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert lake.columns("data") == {
        "id": "bigint",
        "n": "double",
        "tags": "array<string>",
        "who": "struct<name:string,age:int>",
        "odd": "string",
    }
    table = lake.tables()["data"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["dt"]
    assert table["Parameters"]["classification"] == "json"
    assert table["Parameters"]["UPDATED_BY_CRAWLER"] == lake.name
    assert lake.values("data") == {("1",), ("2",)}


@pytest.mark.parametrize(("form", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)])
def test_compressed_files_are_read(aws: LocalAws, form: str, pack: Any) -> None:
    lake = Lake(aws, f"compressed-{form}")
    lake.put("data/a", pack(b'{"id": 1}\n') + (pack(b'{"name": "x"}\n') if form == "gzip" else b""))
    lake.define()
    lake.crawl()
    assert lake.columns("data")["id"] == "int"
    assert ("name" in lake.columns("data")) == (form == "gzip")
    assert lake.tables()["data"]["Parameters"]["compressionType"] == form


def test_a_csv_header_is_one_that_differs_from_the_data(lake: Lake) -> None:
    lake.put("data/with/a.csv", b"name,posts,share\nx,1,0.5\ny,2,0.25\n")
    lake.put("data/without/a.csv", b"x|1\ny|2\n")
    lake.define()
    lake.crawl()
    assert lake.columns("with") == {"name": "string", "posts": "bigint", "share": "double"}
    assert lake.tables()["with"]["Parameters"]["skip.header.line.count"] == "1"
    assert lake.columns("without") == {"col0": "string", "col1": "bigint"}
    assert lake.tables()["without"]["StorageDescriptor"]["SerdeInfo"]["Parameters"]["field.delim"] == "|"


def test_parquet_columns_come_from_its_schema(lake: Lake) -> None:
    file = io.BytesIO()
    table = pa.table({"Id": pa.array([1], pa.int64()), "at": pa.array([0], pa.timestamp("ms")), "l": [[{"a": 1.0}]]})
    pq.write_table(table, file)
    lake.put("data/a.parquet", file.getvalue())
    lake.define()
    lake.crawl()
    assert lake.columns("data") == {"id": "bigint", "at": "timestamp", "l": "array<struct<a:double>>"}


def test_folders_of_unlike_files_are_tables_of_their_own(lake: Lake) -> None:
    lake.put("data/posts/dt=1/a.json", [{"id": 1, "text": "x"}])
    lake.put("data/authors/dt=1/a.json", [{"name": "x", "followers": 2}])
    lake.define(TablePrefix="raw_")
    lake.crawl()
    assert set(lake.tables()) == {"raw_posts", "raw_authors"}


def test_folders_without_names_are_numbered_partitions(lake: Lake) -> None:
    for day in ("01", "02"):
        lake.put(f"data/2026/{day}/a.json", [{"id": 1}])
    lake.define()
    lake.crawl()
    assert [key["Name"] for key in lake.tables()["data"]["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert lake.values("data") == {("2026", "01"), ("2026", "02")}


def test_the_table_level_keeps_folders_apart(lake: Lake) -> None:
    lake.put("data/one/dt=1/a.json", [{"id": 1}])
    lake.put("data/two/dt=1/a.json", [{"id": 1}])
    lake.define(Configuration=json.dumps({"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}}))
    lake.crawl()
    assert set(lake.tables()) == {"one", "two"}


def test_excluded_objects_are_left_out(lake: Lake) -> None:
    lake.put("data/a.json", [{"id": 1}])
    lake.put("data/tmp/b.json", [{"other": 1}])
    lake.put("data/c.bak", [{"backup": 1}])
    lake.define(exclusions=["tmp/**", "*.{bak,old}"])
    lake.crawl()
    assert lake.columns("data") == {"id": "int"}
    assert set(lake.tables()) == {"data"}


def test_a_changed_schema_is_updated_unless_it_is_only_logged(lake: Lake) -> None:
    lake.put("data/a.json", [{"id": 1, "name": "x"}])
    lake.define()
    lake.crawl()
    lake.put("data/b.json", [{"id": 1, "name": "x", "new": True}])
    policy = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    lake.aws.client("glue").update_crawler(Name=lake.name, SchemaChangePolicy=policy)
    lake.crawl()
    assert "new" not in lake.columns("data")
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}
    lake.aws.client("glue").update_crawler(Name=lake.name, SchemaChangePolicy=policy)
    lake.crawl()
    assert lake.columns("data")["new"] == "boolean"


@pytest.mark.parametrize("behavior", ["LOG", "DEPRECATE_IN_DATABASE", "DELETE_FROM_DATABASE"])
def test_a_table_whose_objects_are_gone(aws: LocalAws, behavior: str) -> None:
    lake = Lake(aws, f"gone-{behavior.lower().replace('_', '-')}")
    lake.put("data/a.json", [{"id": 1}])
    lake.define(SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behavior})
    lake.crawl()
    aws.client("s3").delete_object(Bucket=lake.name, Key="data/a.json")
    lake.crawl()
    assert (behavior == "DELETE_FROM_DATABASE") == (not lake.tables())
    marked = any("DEPRECATED_BY_CRAWLER" in item["Parameters"] for item in lake.tables().values())
    assert marked == (behavior == "DEPRECATE_IN_DATABASE")


def test_what_no_classifier_knows_is_left_out(lake: Lake) -> None:
    lake.put("data/a.bin", b"\x00\x01\x02\xff")
    lake.put("data/b.gz", b"\x1f\x8b broken")
    lake.define()
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert lake.tables() == {}


def test_namesakes_are_told_apart_by_a_hash(lake: Lake) -> None:
    lake.put("data/a/posts/a.json", [{"id": 1, "text": "x"}])
    lake.put("data/a/likes/a.json", [{"by": 1, "of": 2}])
    lake.put("data/b/posts/a.json", [{"name": "x", "other": 1}])
    lake.put("data/b/follows/a.json", [{"from": 1, "to": 2}])
    lake.define()
    lake.crawl()
    assert {"posts", "likes", "follows"} < set(lake.tables())
    assert sum(name.startswith("posts_") for name in lake.tables()) == 1
