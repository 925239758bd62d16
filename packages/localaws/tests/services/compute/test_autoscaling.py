"""Groups of one ("Health checks for instances in an Auto Scaling group", EC2 Auto Scaling user guide)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.testing.instances import IMAGE, SPEED, alive, await_state, describe_unit, first_start, starts
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("autoscaling")


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[LocalAws]:
    (folder / "units").mkdir()
    with running_localaws(folder, speed=SPEED, units=folder / "units") as aws:
        iam = aws.client("iam")
        iam.create_role(RoleName="worker-role", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.create_instance_profile(InstanceProfileName="worker")
        iam.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="worker-role")
        yield aws


@pytest.fixture
def group(aws: LocalAws, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A group of one that runs a unit of the same name."""
    name = request.node.name.replace("_", "-")
    describe_unit(folder, name)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "localaws:units", "Value": name}]}]
    template = {"ImageId": IMAGE, "IamInstanceProfile": {"Name": "worker"}, "TagSpecifications": tags}
    aws.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=template)
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    )
    yield name
    aws.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


def members(aws: LocalAws, group: str) -> list[str]:
    response = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    return [instance["InstanceId"] for instance in response["AutoScalingGroups"][0]["Instances"]]


def test_a_group_runs_its_templates_unit_under_the_role_of_its_profile(aws: LocalAws, folder: Path, group: str) -> None:
    """Page "CreateAutoScalingGroup": LaunchTemplate, with its IamInstanceProfile."""
    first_start(folder, group)
    (instance,) = members(aws, group)
    _, response, credentials = (folder / group / "starts").read_text().split()
    assert response == instance
    assert credentials.endswith("/_localaws/credentials/worker-role")


def test_a_terminated_instance_is_replaced(aws: LocalAws, folder: Path, group: str) -> None:
    """Page "Health checks for instances in an Auto Scaling group": one that terminates unexpectedly."""
    first = first_start(folder, group)
    (instance,) = members(aws, group)
    await_state(aws, instance, "running")
    aws.client("ec2").terminate_instances(InstanceIds=[instance])
    wait_for(lambda: len(starts(folder, group)) == 2, timeout=20, what="the other instance's start")
    (other,) = members(aws, group)
    assert other != instance
    wait_for(lambda: not alive(first), what="the end of the first")


def test_a_stopped_instance_is_replaced(aws: LocalAws, folder: Path, group: str) -> None:
    """Page "Health checks for instances in an Auto Scaling group": any state but running is unhealthy."""
    first_start(folder, group)
    (instance,) = members(aws, group)
    await_state(aws, instance, "running")
    aws.client("ec2").stop_instances(InstanceIds=[instance])
    wait_for(lambda: members(aws, group) not in ([], [instance]), timeout=20, what="another instance")
    await_state(aws, instance, "terminated")
    wait_for(lambda: len(starts(folder, group)) == 2, timeout=20, what="its start")


def test_a_deleted_group_leaves_no_process(aws: LocalAws, folder: Path, group: str) -> None:
    """Page "DeleteAutoScalingGroup": ForceDelete terminates its instances."""
    first = first_start(folder, group)
    aws.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=group, MinSize=0, DesiredCapacity=0)
    wait_for(lambda: not alive(first), timeout=20, what="the end of the process")
