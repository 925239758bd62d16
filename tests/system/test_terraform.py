"""The Terraform root is valid, makes on the local AWS what a laptop run makes, and the main job runs on that."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localaws.testing.losing_proxy import first_attempts, losing_proxy
from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.laptop.provision import Provision
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.processes import Parts
from postrank.laptop.services.streamer import Streamer
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options
from postrank.laptop.setup.ports import any_free
from tests.support import permissions
from tests.support.stack.laptop_run import ROOT, command, exported
from tests.support.stack.terraform import Terraform

pytestmark = [pytest.mark.system, pytest.mark.in_file_order, pytest.mark.timeout(patient(900))]

NAMES = Resources.of("local", "123456789012")
JOB_SECONDS = 500
MADE = re.compile(r"^(?:module\.\w+(?:\[\d+\])?\.)*(aws_\w+)\.")  # in an address that is no data source
APP = 'app={image_tag="1",host="h.example.com",certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/c"}'
AIRFLOW_ON_ECS = f'airflow_ecs={{image_digest="sha256:{"0" * 64}"}}'
LOCAL = "-var-file=environments/local.tfvars"


def test_the_root_is_formatted_and_valid(tmp_path):
    terraform = Terraform(tmp_path)
    terraform("fmt", "-check", "-recursive")
    terraform("init", "-backend=false", "-input=false")
    terraform("validate")


@pytest.mark.slow
def test_its_own_tests_pass(tmp_path):
    terraform = Terraform(tmp_path)
    terraform("init", "-backend=false", "-input=false")
    terraform("test")


class Applied:
    """The root, applied to a local AWS that lies where a laptop run keeps its own, and runs what that run's would."""

    # Where it is applied to is all that is told to the provider; the root's own files stay as they are.
    OVERRIDE = """
terraform {
  backend "local" {}
}
provider "aws" {
  s3_use_path_style = true
}
"""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout.of(ROOT, folder / "var")
        self.layout.create()
        self.terraform = Terraform(folder / "root", override=self.OVERRIDE)
        self._serving = ExitStack()

    def serve(self) -> None:
        """Start the local AWS, with the state that it had."""
        self.aws = self._serving.enter_context(
            running_localaws(self.layout.aws, speed=60, enforce_iam=True, units=self.layout.units)
        )
        self.terraform.env |= self.aws.root_environment

    def stop(self) -> None:
        """Stop it; its state stays."""
        self._serving.close()

    def has_nothing_to_do(self) -> None:
        """Fail when a plan would change anything."""
        self.terraform("plan", "-detailed-exitcode", "-input=false", LOCAL)

    def types_made(self) -> set[str]:
        """The types of the resources that stand."""
        return {name for line in self.terraform("state", "list").splitlines() for name in MADE.findall(line)}

    def types_planned(self, *options: str) -> set[str]:
        """The types of resources that a first apply would make."""
        plan = ("-input=false", "-lock=false", "-state=nothing.tfstate", "-out=planned")
        self.terraform("plan", *plan, *options)
        changes = json.loads(self.terraform("show", "-json", "planned"))["resource_changes"]
        return {one["type"] for one in changes if one["mode"] == "managed"}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    made = Applied(tmp_path_factory.mktemp("applied"))
    describe_streamer(made.layout)
    made.serve()
    try:
        made.terraform("init", "-input=false")
        made.terraform("apply", "-auto-approve", "-input=false", "-parallelism=20", LOCAL)
        yield made
    finally:
        made.stop()


def describe_streamer(layout: Layout) -> None:
    """Leave for the instance what `postrank up --source sample` would have it run."""
    cloud = LocalCloud(Parts(layout.logs), layout, 0, NAMES.region)
    Streamer(layout, NAMES, cloud, Options(project=ROOT, var=layout.var)).describe()


def test_a_second_plan_finds_nothing_to_do(applied):
    applied.has_nothing_to_do()


@pytest.mark.slow
def test_an_environment_of_one_source_keeps_its_host(applied):
    """As a state that was written before there were collectors: the same resources at their earlier addresses."""
    earlier = ("aws_cloudwatch_log_group.this", "aws_ebs_volume.state", "aws_launch_template.this")
    for address in (*earlier, "aws_autoscaling_group.this"):
        applied.terraform("state", "mv", f'module.streamer.{address}["main"]', f"module.streamer.{address}")
    applied.terraform("plan", "-input=false", "-out=planned", LOCAL)
    changes = json.loads(applied.terraform("show", "-json", "planned"))["resource_changes"]
    assert {action for change in changes for action in change["change"]["actions"]} <= {"no-op", "read"}
    applied.terraform("apply", "-auto-approve", "-input=false", "planned")
    applied.has_nothing_to_do()


@pytest.mark.slow
def test_one_more_collector_plans_only_its_own_resources(applied, tmp_path):
    config = tmp_path / "collectors.toml"
    config.write_text('state = "/var/lib/postrank"\n[collectors.bluesky.source]\nkind = "bluesky"\n')
    variables = tmp_path / "collectors.tfvars.json"
    words = ["collectors", "tfvars", "--config", str(config), "--out", str(variables)]
    subprocess.run([sys.executable, "-m", "postrank", *words], check=True, timeout=patient(60))
    applied.terraform("plan", "-input=false", "-out=planned", LOCAL, f"-var-file={variables}")
    changes = json.loads(applied.terraform("show", "-json", "planned"))["resource_changes"]
    changed = {change["address"]: change["change"]["actions"] for change in changes}
    added = {address for address, actions in changed.items() if actions not in (["no-op"], ["read"])}
    assert {tuple(changed[address]) for address in added} == {("create",)}
    assert [address for address in added if "bluesky" not in address] == []
    assert {MADE.match(address)[1] for address in added} == {
        "aws_autoscaling_group",
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_metric_alarm",
        "aws_ebs_volume",
        "aws_launch_template",
        "aws_s3_object",
    }


OF_THE_APP = ("app", "live")  # roles that stand with the app alone, which neither makes unasked


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
    workgroup = aws.client("athena").get_work_group(WorkGroup=NAMES.workgroup)["WorkGroup"]["Configuration"]
    documents = (NAMES.streamer.document, NAMES.streamer.backfill_document)
    group = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[NAMES.streamer.name])
    return {
        "buckets": sorted(bucket["Name"] for bucket in s3.list_buckets()["Buckets"]),
        "streams": sorted(aws.client("kinesis").list_streams()["StreamNames"]),
        "delivery": delivery,
        "tables": tables,
        "crawler": (crawler["Role"].rpartition("/")[2], sorted(crawler["Targets"]["CatalogTargets"][0]["Tables"])),
        "crawler policy": {key: crawler["SchemaChangePolicy"][key] for key in ("UpdateBehavior", "DeleteBehavior")},
        "crawler configuration": json.loads(crawler["Configuration"]),
        "workgroup": (workgroup["ResultConfiguration"]["OutputLocation"], workgroup["BytesScannedCutoffPerQuery"]),
        "roles": {
            name: (
                iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
                iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"],
            )
            for purpose, name in NAMES.roles.items()
            if purpose not in OF_THE_APP
        },
        "documents": [json.loads(aws.client("ssm").get_document(Name=one)["Content"]) for one in documents],
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


@pytest.mark.slow
def test_the_main_job_runs_on_what_terraform_made(applied):
    applied.stop()
    ui, aws = str(any_free()), str(any_free())
    words = ("--project", str(ROOT), "--var", str(applied.layout.var), "--port", ui, "--aws-port", aws)
    words = (*words, "--source", "sample", "--keep", "--once")
    job = subprocess.run(
        command(*words),
        capture_output=True,
        text=True,
        timeout=patient(JOB_SECONDS),
        check=False,
    )
    assert job.returncode == 0, job.stdout[-5000:] + job.stderr[-2000:]
    assert exported(applied.layout.results, "all")[0]["author_handle"].startswith("sim_")
    before = applied.aws.call_log()  # the streamer began when its instance was made
    during = [json.loads(line) for line in applied.layout.call_log.read_text(encoding="utf-8").splitlines()]
    permissions.gather([*before, *during])
    assert [call for call in (*before, *during) if call["decision"] != "allowed"] == []
    by_hand = [call for call in during if call["principal"] == ROOT_USER and call["source"] == "external"]
    assert {call["action"] for call in by_hand if not _reads(call)} == set()
    for (service, action, resource), role in HOPS.items():
        calls = [call for call in (*before, *during) if _is(call, service, action, resource)]
        assert {call["principal"].split("/")[1] for call in calls} == {NAMES.roles[role]}, (service, action, resource)


ROOT_USER = f"arn:aws:iam::{NAMES.account}:root"  # as which `postrank up` shows what goes on
HOPS = {  # who does what in the main job
    ("kinesis", "PutRecords", NAMES.streams["posts"]): "streamer",
    ("kinesis", "GetRecords", NAMES.streams["posts"]): "firehose",
    ("s3", "PutObject", f"{NAMES.buckets['raw']}/raw/posts/"): "firehose",
    ("glue", "StartCrawler", NAMES.crawler): "airflow",
    ("glue", "BatchCreatePartition", f"{NAMES.database}/raw_posts"): "crawler",
    ("athena", "StartQueryExecution", NAMES.workgroup): "airflow",
    ("s3", "PutObject", f"{NAMES.buckets['results']}/rankings/latest.json"): "airflow",
}


def _reads(call: dict[str, Any]) -> bool:
    return call["action"].startswith(("Describe", "Get", "Head", "List"))


def _is(call: dict[str, Any], service: str, action: str, resource: str) -> bool:
    return (call["service"], call["action"]) == (service, action) and resource in call["resource"]


@pytest.mark.slow
def test_running_changes_nothing_that_terraform_made(applied):
    applied.stop()
    applied.serve()
    applied.has_nothing_to_do()


@pytest.mark.slow
def test_the_named_queries_run_on_what_the_job_left(applied):
    athena, ended = applied.aws.client("athena"), {}
    ids = athena.list_named_queries(WorkGroup=NAMES.workgroup)["NamedQueryIds"]
    assert len(ids) == len(list((ROOT / "include/sql/queries").glob("*.sql")))
    for query in (athena.get_named_query(NamedQueryId=one)["NamedQuery"] for one in ids):
        begun = athena.start_query_execution(
            QueryString=query["QueryString"],
            QueryExecutionContext={"Database": query["Database"]},
            WorkGroup=query["WorkGroup"],
        )["QueryExecutionId"]

        def state(begun: str = begun) -> str:
            status = athena.get_query_execution(QueryExecutionId=begun)["QueryExecution"]["Status"]
            done = status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED")
            return f"{status['State']}: {status.get('StateChangeReason', '')}" if done else ""

        ended[query["Name"]] = wait_for(state, timeout=60, what=query["Name"])
    assert {name: how for name, how in ended.items() if how != "SUCCEEDED: "} == {}


@pytest.mark.slow
def test_dev_and_prod_can_be_planned_and_the_local_apply_leaves_out_what_the_readme_names(applied):
    everything = ("-var", 'mwaa={version="3.2.1"}', "-var", 'alarm_emails=["team@example.com"]', "-var", APP)
    everything += ("-var", "spark={kafka=true}")
    on_ecs = ("-var", "mwaa=null", "-var", AIRFLOW_ON_ECS)
    dev = applied.types_planned("-var-file=environments/dev.tfvars")
    prod = applied.types_planned("-var-file=environments/prod.tfvars", *everything)
    prod |= applied.types_planned("-var-file=environments/prod.tfvars", *everything, *on_ecs)
    local = applied.types_made()
    assert local < dev < prod
    readme = (ROOT / "terraform/README.md").read_text(encoding="utf-8")
    section = readme.split("## What an apply to the local AWS leaves out")[1].split("\n## ")[0]
    named = set(re.findall(r"`(aws_\w+)`", section))
    assert prod - local == named


def test_destroying_leaves_nothing_though_each_first_response_is_lost(applied):
    with losing_proxy(urlsplit(applied.aws.endpoint).port, first_attempts()) as proxy:
        applied.terraform.env["AWS_ENDPOINT_URL"] = proxy.url
        applied.terraform("destroy", "-auto-approve", "-input=false", "-parallelism=20", LOCAL)
    assert any(b"DeleteAlarms" in exchange.body for exchange in proxy.lost)
    assert left(applied.aws) == {}


def left(aws: LocalAws) -> dict[str, Any]:
    """What an account has beyond what it begins with, of every kind that the root makes."""
    ec2, iam, logs = aws.client("ec2"), aws.client("iam"), aws.client("logs")
    ours = {"Filters": [{"Name": "tag:Name", "Values": [f"postrank-{NAMES.environment}*"]}]}
    instances = [one for group in ec2.describe_instances()["Reservations"] for one in group["Instances"]]
    found = {
        "buckets": aws.client("s3").list_buckets()["Buckets"],
        "streams": aws.client("kinesis").list_streams()["StreamNames"],
        "delivery streams": aws.client("firehose").list_delivery_streams()["DeliveryStreamNames"],
        "databases": aws.client("glue").get_databases()["DatabaseList"],
        "crawlers": aws.client("glue").get_crawlers()["Crawlers"],
        "workgroups": [
            one for one in aws.client("athena").list_work_groups()["WorkGroups"] if one["Name"] != "primary"
        ],
        "groups": aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "launch templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "instances": [one for one in instances if one["State"]["Name"] != "terminated"],
        "volumes": ec2.describe_volumes(**ours)["Volumes"],
        "networks": ec2.describe_vpcs(**ours)["Vpcs"],
        "endpoints": [one for one in ec2.describe_vpc_endpoints()["VpcEndpoints"] if one["State"] != "deleted"],
        "security groups": ec2.describe_security_groups(**ours)["SecurityGroups"],
        "documents": aws.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])[
            "DocumentIdentifiers"
        ],
        "secrets": aws.client("secretsmanager").list_secrets()["SecretList"],
        "topics": aws.client("sns").list_topics()["Topics"],
        "alarms": aws.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": aws.client("cloudwatch").list_dashboards()["DashboardEntries"],
        "registries": aws.client("ecr").describe_repositories()["repositories"],
        "log groups": logs.describe_log_groups(logGroupNamePrefix="/aws/kinesisfirehose/")["logGroups"],
        "roles": [one for one in iam.list_roles()["Roles"] if one["RoleName"].startswith("postrank-")],
        "instance profiles": iam.list_instance_profiles()["InstanceProfiles"],
    }
    return {kind: things for kind, things in found.items() if things}
