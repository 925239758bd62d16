"""The Terraform root is valid, and makes on the local AWS what a laptop run makes, under the same names."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from postrank.aws.resources import Resources
from postrank.laptop.provision import Provision
from tests.support.localaws import LocalAws, running_localaws
from tests.support.terraform import Terraform

NAMES = Resources.of("local", "123456789012")
LOCAL = "-var-file=environments/local.tfvars"


def test_the_root_is_formatted_and_valid_and_its_own_tests_pass(tmp_path):
    terraform = Terraform(tmp_path)
    terraform("fmt", "-check", "-recursive")
    terraform("init", "-backend=false", "-input=false")
    terraform("validate")
    terraform("test")


@dataclass(frozen=True)
class Applied:
    """The root as applied to a local AWS."""

    aws: LocalAws
    terraform: Terraform


@pytest.fixture(scope="module")
def applied(tmp_path_factory) -> Iterator[Applied]:
    folder = tmp_path_factory.mktemp("applied")
    # Where it is applied to is all that is told to the provider; the root's own files stay as they are.
    # The emulator shows a launch template's own tags among those of its instances, which reads as a change: no default
    # tags here.
    override = """
terraform {
  backend "local" {}
}
provider "aws" {
  access_key        = "localaws"
  secret_key        = "localaws"
  s3_use_path_style = true
  default_tags {
    tags = {}
  }
}
"""
    with running_localaws(folder, speed=60, enforce_iam=True) as aws:
        terraform = Terraform(folder / "root", override=override, env={"AWS_ENDPOINT_URL": aws.endpoint})
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", "-input=false", "-parallelism=20", LOCAL)
        yield Applied(aws, terraform)


def test_a_second_plan_finds_nothing_to_do(applied):
    applied.terraform("plan", "-detailed-exitcode", "-input=false", LOCAL)


def described(aws: LocalAws) -> dict[str, Any]:
    """What the two ways of making the resources must agree about."""
    iam, s3, glue = aws.client("iam"), aws.client("s3"), aws.client("glue")
    firehose, crawler = aws.client("firehose"), glue.get_crawler(Name=NAMES.crawler)["Crawler"]
    delivery = {}
    for name in NAMES.delivery_streams.values():
        stream = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        target = stream["Destinations"][0]["ExtendedS3DestinationDescription"]
        wanted = ("RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix", "BufferingHints", "CompressionFormat")
        delivery[name] = {key: target[key] for key in (*wanted, "FileExtension")}
    tables = {}
    for table in glue.get_tables(DatabaseName=NAMES.database)["TableList"]:
        storage = table["StorageDescriptor"]
        tables[table["Name"]] = (
            [(one["Name"], one["Type"]) for one in storage["Columns"]],
            [(one["Name"], one["Type"]) for one in table["PartitionKeys"]],
            storage["Location"].rstrip("/"),
            storage["InputFormat"],
            storage["SerdeInfo"]["SerializationLibrary"],
            storage["SerdeInfo"]["Parameters"],
        )
    document = aws.client("ssm").get_document(Name=NAMES.streamer.document)
    group = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[NAMES.streamer.name])
    return {
        "buckets": sorted(bucket["Name"] for bucket in s3.list_buckets()["Buckets"]),
        "streams": sorted(aws.client("kinesis").list_streams()["StreamNames"]),
        "delivery": delivery,
        "tables": tables,
        "crawler": (crawler["Role"].rpartition("/")[2], sorted(crawler["Targets"]["CatalogTargets"][0]["Tables"])),
        "crawler policy": {key: crawler["SchemaChangePolicy"][key] for key in ("UpdateBehavior", "DeleteBehavior")},
        "crawler configuration": json.loads(crawler["Configuration"]),
        "workgroup": aws.client("athena").get_work_group(WorkGroup=NAMES.workgroup)["WorkGroup"]["Configuration"][
            "ResultConfiguration"
        ]["OutputLocation"],
        "roles": {
            name: (
                iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
                iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"],
            )
            for name in NAMES.roles.values()
        },
        "document": json.loads(document["Content"]),
        "group": [(one["MinSize"], one["MaxSize"]) for one in group["AutoScalingGroups"]],
        "topic": [topic["TopicArn"] for topic in aws.client("sns").list_topics()["Topics"]],
    }


def test_a_laptop_run_makes_the_same_resources(applied, tmp_path):
    with running_localaws(tmp_path, speed=60) as aws:
        provision = Provision(aws.client, NAMES)
        list(provision.base())
        provision.streamer(NAMES.streamer.service)
        by_hand = described(aws)
    by_terraform = described(applied.aws)
    different = {part: (by_terraform[part], made) for part, made in by_hand.items() if by_terraform[part] != made}
    assert different == {}


def test_the_outputs_are_the_names_that_python_uses(applied):
    outputs = {name: one["value"] for name, one in json.loads(applied.terraform("output", "-json")).items()}
    assert outputs["buckets"] == dict(NAMES.buckets)
    assert outputs["streams"] == dict(NAMES.streams)
    assert outputs["delivery_streams"] == dict(NAMES.delivery_streams)
    assert (outputs["database"], outputs["crawler"], outputs["workgroup"]) == (
        NAMES.database,
        NAMES.crawler,
        NAMES.workgroup,
    )


def test_destroying_leaves_nothing(applied):
    applied.terraform("destroy", "-auto-approve", "-input=false", "-parallelism=20", LOCAL)
    aws = applied.aws
    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert aws.client("kinesis").list_streams()["StreamNames"] == []
    assert aws.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
    assert aws.client("glue").get_databases()["DatabaseList"] == []
    assert aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    left = {role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]} & set(NAMES.roles.values())
    assert left == set()
