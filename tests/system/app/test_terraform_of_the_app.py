"""The module of the app, applied to the local AWS: everything but running containers and a database."""

import json
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from postrank.aws import policies
from postrank.aws.resources import Resources
from tests.support.stack.terraform import Terraform

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(patient(300))]

NAMES = Resources.of("dev", "123456789012")
PROVIDER = 'provider "aws" {\n  region = "us-east-1"\n}\n'
PLAN = ("-input=false", "-var-file=app.tfvars.json")


def variables(aws) -> dict[str, object]:
    """The module's variables, with a network and a certificate that the test makes."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    host = "postrank.example.com"
    certificate = aws.client("acm").request_certificate(DomainName=host)["CertificateArn"]
    app = {"image_tag": "0.1.0", "host": host, "certificate_arn": certificate, "cidrs": ["10.9.0.0/16"]}
    return {
        "names": {"roles": {name: NAMES.roles[name] for name in ("app", "live")}},
        "app": {**app, "cpu": 512, "memory": 1024, "live": True},
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
    terraform = Terraform(tmp_path / "root")
    terraform.folder = terraform.folder / "modules" / "app"
    (terraform.folder / "provider.tf").write_text(PROVIDER, encoding="utf-8")
    with running_localaws(tmp_path / "aws") as aws:
        terraform.env |= aws.root_environment
        (terraform.folder / "app.tfvars.json").write_text(json.dumps(variables(aws)), encoding="utf-8")
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", *PLAN)
        terraform("plan", "-detailed-exitcode", *PLAN)
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
        assert ecs.list_clusters()["clusterArns"] == []
