"""The modules of the warehouse and of the app, applied to the local AWS: all but running containers."""

import json
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws import policies
from postrank.aws.resources import Resources
from postrank.warehouse.events import created_keys
from tests.support.stack.terraform_modules import NOT_KEPT, PLAN, changed, module, network

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(patient(300))]

NAMES = Resources.of("dev", "123456789012")


def of_the_app(aws: LocalAws) -> dict[str, object]:
    """The app's variables, with a certificate that the test makes."""
    vpc, ids = network(aws)
    host = "postrank.example.com"
    certificate = aws.client("acm").request_certificate(DomainName=host)["CertificateArn"]
    app = {"host": host, "certificate_arn": certificate, "cidrs": ["10.9.0.0/16"]}
    return {
        "names": {"roles": {name: NAMES.roles[name] for name in ("app", "live")}},
        "app": {**app, "cpu": 512, "memory": 1024, "live": True},
        "image": "registry/postrank-dev-app:0.1.0",
        "environment": "dev",
        "account": NAMES.account,
        "region": NAMES.region,
        "warehouse": "db.example.com",
        "vpc_id": vpc,
        "cidr": "10.40.0.0/16",
        "balancer_subnets": ids,
        "task_subnets": ids,
        "policy": policies.policy("app", NAMES),
        "live_policy": policies.policy("live", NAMES),
        "execution_policy": policies.policy("app-execution", NAMES),
        "trust": policies.trust("app", NAMES),
        "permissions_boundary": None,
        "protected": False,
    }


def test_the_app_is_applied_changes_nothing_again_and_is_destroyed(tmp_path: Path) -> None:
    terraform = module(tmp_path, "app")
    with running_localaws(tmp_path) as aws:
        terraform.env |= aws.root_environment
        (terraform.folder / "module.tfvars.json").write_text(json.dumps(of_the_app(aws)), encoding="utf-8")
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", *PLAN)
        assert changed(terraform) <= NOT_KEPT
        (balancer,) = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
        assert (balancer["Scheme"], balancer["Type"]) == ("internal", "application")
        ecs = aws.client("ecs")
        services = ecs.describe_services(cluster=NAMES.roles["app"], services=["app", "live"])["services"]
        users = {}
        for service in services:
            task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
            (container,) = task["containerDefinitions"]
            environment = {item["name"]: item["value"] for item in container["environment"]}
            users[service["serviceName"]] = (environment["POSTRANK_WAREHOUSE_USER"], task["taskRoleArn"].split("/")[-1])
            assert environment["POSTRANK_WAREHOUSE_IAM"] == "1"
            assert container["readonlyRootFilesystem"] is True
        assert users == {
            "app": ("postrank_reader", NAMES.roles["app"]),
            "live": ("postrank_owner", NAMES.roles["live"]),
        }
        terraform("destroy", "-auto-approve", *PLAN)
        assert aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_the_warehouse_is_applied_with_a_queue_that_hears_of_exports(tmp_path: Path) -> None:
    """The provider waits for the instance as it does for one that takes minutes."""
    terraform = module(tmp_path, "warehouse")
    bucket = NAMES.buckets["results"]
    with running_localaws(tmp_path) as aws:
        terraform.env |= aws.root_environment
        aws.client("s3").create_bucket(Bucket=bucket)
        vpc, ids = network(aws)
        variables = {
            "name": "postrank-dev",
            "vpc_id": vpc,
            "cidr": "10.40.0.0/16",
            "subnets": ids,
            "instance_class": "db.t4g.micro",
            "engine_version": "18",
            "protected": False,
            "require_tls": False,
            "queue": NAMES.warehouse_queue,
            "queue_policy": policies.document("warehouse-queue", NAMES),
            "results_bucket": bucket,
            "events": json.loads(policies.document("warehouse-events", NAMES)),
        }
        (terraform.folder / "module.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", *PLAN)
        assert changed(terraform) <= NOT_KEPT
        outputs = {name: output["value"] for name, output in json.loads(terraform("output", "-json")).items()}
        assert outputs["address"] == "127.0.0.1"
        aws.client("s3").put_object(Bucket=bucket, Key="rankings/run=a/manifest.json", Body=b"{}")
        keys: list[str] = []

        def heard() -> list[str]:
            response = aws.client("sqs").receive_message(QueueUrl=outputs["queue_url"], MaxNumberOfMessages=10)
            keys.extend(created_keys(response.get("Messages", ()))[0])
            return keys

        assert wait_for(heard, timeout=60, what="the event") == ["rankings/run=a/manifest.json"]
        terraform("destroy", "-auto-approve", *PLAN)
        assert aws.client("rds").describe_db_instances()["DBInstances"] == []
