"""The tasks of `refresh_catalog` after the crawl: did it succeed, and is every delivered hour in the catalogue?"""

from typing import TYPE_CHECKING

from airflow.sdk import task

from postrank.aws.prefixes import measure
from postrank.aws.tables import prefix
from postrank.errors import Fatal, Retryable
from postrank.ranking.arrivals import hours_ended_in
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.dag.run_note import reason_in_note, result_in_note

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CRAWLED = ("raw_posts", "raw_author_windows")


class CrawlFailed(Retryable):
    """The crawler is ready again, but its last crawl did not succeed."""

    def __init__(self, crawler: str, status: str, message: str) -> None:
        super().__init__(f"the last crawl of {crawler} is {status}: {message or 'no message'}")
        self.status = status


class HoursMissing(Fatal):
    """Objects lie in hours that the catalogue does not know."""

    def __init__(self, table: str, hours: list[str]) -> None:
        super().__init__(f"{table} has objects but no partition for {', '.join(hours)}: see the crawler's log")
        self.table = table
        self.hours = hours


@task
@reason_in_note
def require_success() -> str:
    """The crawler's own word on its last crawl (Glue API, `LastCrawlInfo`)."""
    crawler = clients.client("glue").get_crawler(Name=RESOURCES.crawler)["Crawler"]
    last = crawler.get("LastCrawl", {})
    if last.get("Status") != "SUCCEEDED":
        raise CrawlFailed(RESOURCES.crawler, last.get("Status", "missing"), last.get("ErrorMessage", ""))
    return f"crawl of {last['StartTime']:%Y-%m-%d %H:%M:%S} succeeded"


@task
@result_in_note
def require_partitions() -> str:
    """Every hour of the interval that holds objects (by hand: every hour) is a partition. Returns what was seen."""
    context = run_context()
    s3 = clients.client("s3")
    catalogue = clients.catalogue()
    requested = hours_ended_in(*context.data_interval) if context.data_interval else None
    seen = []
    for table in CRAWLED:
        existing = {"T".join(partition.values) for partition in catalogue.partitions(table)}
        hours = _delivered(s3, table, requested)
        if missing := sorted(hours - existing):
            raise HoursMissing(table, missing)
        seen.append(f"{table}: {len(hours)} delivered hours, all in catalog" if hours else f"{table}: nothing arrived")
    return "; ".join(seen)


def _delivered(s3: "S3Client", table: str, requested: list[str] | None) -> set[str]:
    """The arrival hours that hold objects: those of `asked`, or all."""
    root = prefix(table, RESOURCES)
    if requested is not None:
        return {hour for hour in requested if measure(s3, f"{root}dt={hour[:10]}/hour={hour[11:]}/").objects}
    bucket, key = root.removeprefix("s3://").split("/", 1)
    days = _folders(s3, bucket, key)
    return {f"{day[3:]}T{hour[5:]}" for day in days for hour in _folders(s3, bucket, f"{key}{day}/")}


def _folders(s3: "S3Client", bucket: str, below: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below, Delimiter="/")
    return [entry["Prefix"].rstrip("/").rsplit("/", 1)[1] for page in pages for entry in page.get("CommonPrefixes", ())]
