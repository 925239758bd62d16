"""The Glue crawler on tables of the catalogue ("Data Catalog target", Glue developer guide)."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

DATABASE = "lake"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
STORAGE = {
    "Columns": [{"Name": "id", "Type": "string"}],
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
}
INHERIT = json.dumps({"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}})


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("crawler"), speed=600) as aws:
        iam = aws.client("iam")
        iam.create_role(RoleName="crawler", AssumeRolePolicyDocument=json.dumps(TRUST))
        aws.client("glue").create_database(DatabaseInput={"Name": DATABASE})
        yield aws


@pytest.fixture
def table(aws: LocalAws, request: pytest.FixtureRequest) -> str:
    """A partitioned table of the test's own over a bucket of the same name, and a crawler for it."""
    name = request.node.name.removeprefix("test_").replace("-", "_")[:50].rstrip("_")
    aws.client("s3").create_bucket(Bucket=name.replace("_", "-"))
    storage = {**STORAGE, "Location": f"s3://{name.replace('_', '-')}/raw/"}
    keys = [{"Name": "dt", "Type": "string"}, {"Name": "hour", "Type": "string"}]
    created = {"Name": name, "StorageDescriptor": storage, "PartitionKeys": keys, "TableType": "EXTERNAL_TABLE"}
    aws.client("glue").create_table(DatabaseName=DATABASE, TableInput=created)
    create(aws, name)
    return name


def create(aws: LocalAws, table: str, **options: Any) -> None:
    aws.client("glue").create_crawler(
        **{
            "Name": table,
            "Role": "crawler",
            "Targets": {"CatalogTargets": [{"DatabaseName": DATABASE, "Tables": [table]}]},
            "SchemaChangePolicy": {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
            "Configuration": INHERIT,
            **options,
        }
    )


def put(aws: LocalAws, table: str, key: str) -> None:
    aws.client("s3").put_object(Bucket=table.replace("_", "-"), Key=key, Body=gzip.compress(b'{"id": "1"}\n'))


def crawl(aws: LocalAws, name: str) -> dict[str, Any]:
    """Run it; returns LastCrawl."""
    aws.client("glue").start_crawler(Name=name)
    return await_ready(aws, name)


def await_ready(aws: LocalAws, name: str) -> dict[str, Any]:
    glue = aws.client("glue")
    wait_for(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY", what="the crawl")
    return dict(glue.get_crawler(Name=name)["Crawler"]["LastCrawl"])


def partitions(aws: LocalAws, table: str) -> dict[tuple[str, ...], Any]:
    result = aws.client("glue").get_partitions(DatabaseName=DATABASE, TableName=table)["Partitions"]
    return {tuple(partition["Values"]): partition["StorageDescriptor"] for partition in result}


def test_partitions_of_delivered_hours_are_added_with_their_tables_storage(aws: LocalAws, table: str) -> None:
    put(aws, table, "raw/dt=2026-11-24/hour=05/a.gz")
    put(aws, table, "raw/dt=2026-11-24/hour=06/a.gz")
    assert crawl(aws, table)["Status"] == "SUCCEEDED"
    result = partitions(aws, table)
    assert set(result) == {("2026-11-24", "05"), ("2026-11-24", "06")}
    storage = result["2026-11-24", "05"]
    assert storage["Location"] == f"s3://{table.replace('_', '-')}/raw/dt=2026-11-24/hour=05/"
    assert storage["Columns"] == STORAGE["Columns"]
    assert storage["SerdeInfo"] == STORAGE["SerdeInfo"]


def test_a_second_crawl_adds_only_what_is_new(aws: LocalAws, table: str) -> None:
    put(aws, table, "raw/dt=2026-11-24/hour=05/a.gz")
    crawl(aws, table)
    put(aws, table, "raw/dt=2026-11-24/hour=06/a.gz")
    crawl(aws, table)
    assert len(partitions(aws, table)) == 2
    newest, oldest = aws.client("glue").list_crawls(CrawlerName=table)["Crawls"]
    assert json.loads(newest["Summary"]) == json.loads(oldest["Summary"]) == {"PARTITION": {"ADD": 1}}
    assert newest["State"] == "COMPLETED"


def test_folders_of_other_keys_and_hidden_objects_are_left_out(aws: LocalAws, table: str) -> None:
    put(aws, table, "raw/dt=2026-11-24/hour=05/_SUCCESS")
    put(aws, table, "raw/day=2026-11-24/hour=06/a.gz")
    put(aws, table, "raw/a.gz")
    assert crawl(aws, table)["Status"] == "SUCCEEDED"
    assert partitions(aws, table) == {}


def test_more_partitions_than_a_batch_takes_are_added(aws: LocalAws, table: str) -> None:
    for hour in range(101):
        put(aws, table, f"raw/dt=2026-11-24/hour={hour:03}/a.gz")
    crawl(aws, table)
    assert len(partitions(aws, table)) == 101


def test_a_crawler_that_runs_cannot_be_started_again(aws: LocalAws, tmp_path: Path, table: str) -> None:
    glue = aws.client("glue")
    glue.start_crawler(Name=table)
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name=table)
    await_ready(aws, table)
    with pytest.raises(glue.exceptions.CrawlerNotRunningException):
        glue.stop_crawler(Name=table)


def test_a_stopped_crawl_is_cancelled(tmp_path: Path) -> None:
    with running_localaws(tmp_path, speed=1) as aws:
        aws.client("iam").create_role(RoleName="crawler", AssumeRolePolicyDocument=json.dumps(TRUST))
        create(aws, "slow")
        glue = aws.client("glue")
        glue.start_crawler(Name="slow")
        assert glue.get_crawler(Name="slow")["Crawler"]["State"] == "RUNNING"
        glue.stop_crawler(Name="slow")
        assert await_ready(aws, "slow")["Status"] == "CANCELLED"
        assert glue.list_crawls(CrawlerName="slow")["Crawls"][0]["State"] == "STOPPED"


def test_a_crawl_of_a_missing_table_fails_with_the_reason(aws: LocalAws) -> None:
    create(aws, "no_table")
    last = crawl(aws, "no_table")
    assert last["Status"] == "FAILED"
    assert "no_table does not exist" in last["ErrorMessage"]
    assert last["LogGroup"] == "/aws-glue/crawlers"


def test_a_crawl_of_a_missing_bucket_fails_with_the_reason(aws: LocalAws, table: str) -> None:
    aws.client("s3").delete_bucket(Bucket=table.replace("_", "-"))
    last = crawl(aws, table)
    assert last["Status"] == "FAILED"
    assert "NoSuchBucket" in last["ErrorMessage"]


def test_a_crawl_is_told_in_the_log_and_in_the_metrics(aws: LocalAws, table: str) -> None:
    put(aws, table, "raw/dt=2026-11-24/hour=05/a.gz")
    last = crawl(aws, table)
    events = aws.client("logs").get_log_events(logGroupName=last["LogGroup"], logStreamName=last["LogStream"])["events"]
    assert any("1 partitions found, 1 of them new" in event["message"] for event in events)
    metrics = aws.client("glue").get_crawler_metrics(CrawlerNameList=[table])["CrawlerMetricsList"][0]
    assert metrics["LastRuntimeSeconds"] > 0


def test_a_crawler_reads_back_as_it_was_made(aws: LocalAws) -> None:
    create(aws, "read_back", Description="said", Tags={"team": "data"})
    crawler = aws.client("glue").get_crawler(Name="read_back")["Crawler"]
    assert crawler["State"] == "READY"
    assert "LastCrawl" not in crawler
    assert crawler["Configuration"] == INHERIT
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    arn = "arn:aws:glue:us-east-1:123456789012:crawler/read_back"
    assert aws.client("glue").get_tags(ResourceArn=arn)["Tags"] == {"team": "data"}


def test_a_catalogue_crawler_may_not_delete(aws: LocalAws) -> None:
    with pytest.raises(aws.client("glue").exceptions.InvalidInputException, match="DeleteBehavior"):
        create(aws, "deleting", SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "DELETE_FROM_DATABASE"})


def test_crawlers_and_their_crawls_survive_a_kill(tmp_path: Path) -> None:
    with running_localaws(tmp_path, speed=600) as aws:
        aws.client("iam").create_role(RoleName="crawler", AssumeRolePolicyDocument=json.dumps(TRUST))
        create(aws, "kept")
        crawl(aws, "kept")
        aws.kill()
    with running_localaws(tmp_path, speed=600) as aws:
        assert aws.client("glue").get_crawler(Name="kept")["Crawler"]["LastCrawl"]["Status"] == "FAILED"
