"""One Terraform module, applied by itself to a local AWS."""

import json
from pathlib import Path

from localaws.testing.server import LocalAws
from tests.support.stack.terraform import Terraform

PROVIDER = 'provider "aws" {\n  region = "us-east-1"\n}\n'
# What the local AWS takes and does not keep.
NOT_KEPT = {
    "aws_db_instance.performance_insights_enabled",
    "aws_db_parameter_group.parameter",
    "aws_ecs_service.availability_zone_rebalancing",
    "aws_ecs_service.health_check_grace_period_seconds",
    "aws_vpc_security_group_egress_rule.description",
    "aws_vpc_security_group_ingress_rule.description",
}
PLAN = ("-input=false", "-var-file=module.tfvars.json")


def network(aws: LocalAws) -> tuple[str, list[str]]:
    """A VPC with two subnets."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    return vpc, [subnet["Subnet"]["SubnetId"] for subnet in subnets]


def module(folder: Path, name: str) -> Terraform:
    """A module as a root of its own; its variables go into module.tfvars.json."""
    terraform = Terraform(folder / "root")
    terraform.folder = terraform.folder / "modules" / name
    (terraform.folder / "provider.tf").write_text(PROVIDER, encoding="utf-8")
    return terraform


def changed(terraform: Terraform) -> set[str]:
    """What a plan after an apply would still change, as type and attribute."""
    terraform("plan", "-out=planned", *PLAN)
    plan = json.loads(terraform("show", "-json", "planned"))
    changes = [(resource["type"], resource["change"]) for resource in plan["resource_changes"]]
    return {
        f"{kind}.{name}"
        for kind, change in changes
        if change["actions"] != ["no-op"]
        for name, value in (change["after"] or {}).items()
        if value != (change["before"] or {}).get(name)
    }
