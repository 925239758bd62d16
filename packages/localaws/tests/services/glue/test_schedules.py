"""Crawlers' schedules ("Time-based schedules for jobs and crawlers") and roles ("Create an IAM role for AWS Glue")."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localaws.core.cloud import AwsError
from localaws.services.glue.schedules import Cron
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
TUESDAY = datetime(2026, 11, 24, 12, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(15 12 * * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(15 12 ? * TUE *)",
        "cron(15 12 ? * 3 *)",
        "cron(10-20 * ? NOV MON-FRI 2026)",
        "cron(15,45 12 24 11 ? *)",
    ],
)
def test_an_expression_fires_in_its_minute(expression: str) -> None:
    assert Cron.of(expression).matches(TUESDAY)


@pytest.mark.parametrize("expression", ["cron(16 12 * * ? *)", "cron(15 12 ? * WED *)", "cron(15 12 * * ? 2027)"])
def test_an_expression_does_not_fire_in_another_minute(expression: str) -> None:
    assert not Cron.of(expression).matches(TUESDAY)


@pytest.mark.parametrize(
    "expression",
    ["15 12 * * ? *", "cron(15 12 * * *)", "cron(60 12 * * ? *)", "cron(x 12 * * ? *)", "cron(15 12 * * * *)"],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(AwsError, match="is invalid"):
        Cron.of(expression)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("roles"), speed=600, enforce_iam=True) as aws:
        yield aws


def make(aws: LocalAws, name: str, *, allowed: list[str], schedule: str | None = None) -> None:
    """A bucket with an object, a database, a role that is allowed some actions, a crawler."""
    aws.client("s3").create_bucket(Bucket=name)
    aws.client("s3").put_object(Bucket=name, Key="data/a.json", Body=b'{"id": 1}\n')
    aws.client("glue").create_database(DatabaseInput={"Name": name})
    iam = aws.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [*allowed, "glue:*"], "Resource": "*"}],
    }
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(policy))
    output = {"Schedule": schedule} if schedule else {}
    targets = {"S3Targets": [{"Path": f"s3://{name}/data/"}]}
    aws.client("glue").create_crawler(Name=name, Role=name, DatabaseName=name, Targets=targets, **output)


def crawl(aws: LocalAws, name: str) -> dict[str, str]:
    glue = aws.client("glue")
    glue.start_crawler(Name=name)
    wait_for(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY", what="the crawl")
    return dict(glue.get_crawler(Name=name)["Crawler"]["LastCrawl"])


def test_a_crawl_runs_under_its_role(aws: LocalAws) -> None:
    make(aws, "may", allowed=["s3:ListBucket", "s3:GetObject"])
    assert crawl(aws, "may")["Status"] == "SUCCEEDED"
    calls = [call for call in aws.call_log() if call["action"] == "CreateTable"]
    assert calls
    assert all("assumed-role/may/" in call["principal"] for call in calls)


@pytest.mark.parametrize("missing", ["ListBucket", "GetObject"])
def test_a_crawl_without_access_fails_with_the_reason(aws: LocalAws, missing: str) -> None:
    name = f"may-not-{missing.lower()}"
    make(aws, name, allowed=[f"s3:{item}" for item in ("ListBucket", "GetObject") if item != missing])
    last = crawl(aws, name)
    assert last["Status"] == "FAILED"
    assert missing in last["ErrorMessage"]


def test_a_role_that_glue_may_not_assume_is_refused(aws: LocalAws) -> None:
    trust = json.loads(json.dumps(TRUST).replace("glue.", "ec2."))
    aws.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))
    targets = {"S3Targets": [{"Path": "s3://nowhere/"}]}
    with pytest.raises(ClientError, match="unable to assume"):
        aws.client("glue").create_crawler(Name="other", Role="other", DatabaseName="x", Targets=targets)


def test_a_schedule_is_stopped_and_started(aws: LocalAws) -> None:
    make(aws, "scheduled", allowed=[], schedule="cron(0 12 * * ? 2199)")
    glue = aws.client("glue")

    def state() -> str:
        return str(glue.get_crawler(Name="scheduled")["Crawler"]["Schedule"]["State"])

    assert state() == "SCHEDULED"
    glue.stop_crawler_schedule(CrawlerName="scheduled")
    assert state() == "NOT_SCHEDULED"
    glue.start_crawler_schedule(CrawlerName="scheduled")
    assert state() == "SCHEDULED"


def test_the_scheduled_minute_starts_the_crawler(tmp_path: Path) -> None:
    from localaws.gateway.platform import Platform
    from localaws.services.glue.crawlers.crawler import Crawler
    from localaws.services.glue.service import CrawlerService

    service = CrawlerService(Platform(tmp_path, speed=600))
    definition = {"Name": "due", "Role": "none", "Targets": {"S3Targets": []}, "Schedule": "cron(15 12 * * ? *)"}
    crawler = Crawler(definition=definition, created=0, updated=0)
    service.register.add(crawler)
    service.schedules.tick(TUESDAY.replace(minute=14))
    assert not crawler.crawls
    service.schedules.tick(TUESDAY)
    assert len(crawler.crawls) == 1
    service.stop()
