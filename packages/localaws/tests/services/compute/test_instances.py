"""Instances: what runs on them follows their states ("Amazon EC2 instance state changes", EC2 user guide)."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localaws.testing.instances import (
    IMAGE,
    SPEED,
    alive,
    await_state,
    describe_unit,
    first_start,
    launch,
    starts,
    state,
)
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compute")
    (folder / "units").mkdir()
    return folder


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[LocalAws]:
    with running_localaws(folder, speed=SPEED, units=folder / "units") as aws:
        yield aws


@pytest.fixture
def unit(folder: Path, request: pytest.FixtureRequest) -> str:
    """A unit of the test's own, whose working folder has its name."""
    name = request.node.name.replace("_", "-")
    describe_unit(folder, name)
    return name


def test_an_instance_is_pending_before_it_runs_its_unit(aws: LocalAws, folder: Path, unit: str) -> None:
    """Page "Amazon EC2 instance state changes": pending, then running."""
    instance = launch(aws, unit)
    assert state(aws, instance) in ("pending", "running")
    await_state(aws, instance, "running")
    assert alive(first_start(folder, unit))


def test_stopping_ends_the_processes_and_starting_runs_them_again(aws: LocalAws, folder: Path, unit: str) -> None:
    """Page "Amazon EC2 instance state changes": stopping, stopped, pending, running."""
    instance = launch(aws, unit)
    first = first_start(folder, unit)
    await_state(aws, instance, "running")
    aws.client("ec2").stop_instances(InstanceIds=[instance])
    await_state(aws, instance, "stopped")
    assert not alive(first)
    aws.client("ec2").start_instances(InstanceIds=[instance])
    await_state(aws, instance, "running")
    wait_for(lambda: len(starts(folder, unit)) == 2, what="the second start")


def test_a_reboot_keeps_the_instance_running_and_starts_its_processes_anew(
    aws: LocalAws, folder: Path, unit: str
) -> None:
    """Page "RebootInstances"."""
    instance = launch(aws, unit)
    first = first_start(folder, unit)
    await_state(aws, instance, "running")
    aws.client("ec2").reboot_instances(InstanceIds=[instance])
    wait_for(lambda: len(starts(folder, unit)) == 2, what="the second start")
    assert not alive(first)
    assert state(aws, instance) == "running"


def test_a_terminated_instance_leaves_no_process_and_no_files(aws: LocalAws, folder: Path, unit: str) -> None:
    """Page "Amazon EC2 instance state changes": shutting-down, terminated."""
    instance = launch(aws, unit)
    first = first_start(folder, unit)
    await_state(aws, instance, "running")
    aws.client("ec2").terminate_instances(InstanceIds=[instance])
    await_state(aws, instance, "terminated")
    assert not alive(first)
    wait_for(lambda: not (aws.state / "ec2" / instance).exists(), what="its folder to be gone")


def test_a_killed_process_is_restarted_by_its_units_policy(aws: LocalAws, folder: Path, unit: str) -> None:
    launch(aws, unit)
    os.kill(first_start(folder, unit), signal.SIGKILL)
    wait_for(lambda: len(starts(folder, unit)) == 2, what="the restart")


def test_an_instance_reboots_when_its_process_manager_is_killed(aws: LocalAws, folder: Path, unit: str) -> None:
    instance = launch(aws, unit)
    first = first_start(folder, unit)
    await_state(aws, instance, "running")
    manager = psutil.Process(first).parent()
    assert manager is not None
    manager.kill()
    wait_for(lambda: len(starts(folder, unit)) == 2, what="the second start")
    wait_for(lambda: not alive(first), what="the end of the first")
    await_state(aws, instance, "running")
    assert "the process manager died" in aws.client("ec2").get_console_output(InstanceId=instance)["Output"]


def test_a_process_that_ended_well_is_not_restarted_on_failure(aws: LocalAws, folder: Path, unit: str) -> None:
    instance = launch(aws, unit)
    os.kill(first_start(folder, unit), signal.SIGTERM)
    wait_for(lambda: not alive(starts(folder, unit)[0]), what="the end")
    aws.client("ec2").reboot_instances(InstanceIds=[instance])
    wait_for(lambda: len(starts(folder, unit)) == 2, what="the start after the reboot, which is the second")


def test_status_checks_pass_after_they_were_initializing(aws: LocalAws, folder: Path, unit: str) -> None:
    """Pages "DescribeInstanceStatus", "Status checks for Amazon EC2 instances"."""
    ec2, instance = aws.client("ec2"), launch(aws, unit)

    def status() -> Any:
        response = ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
        return response and response[0]["InstanceStatus"]["Status"]

    wait_for(lambda: status() == "ok", what="status checks")
    request = [{"Name": "instance-status.status", "Values": ["ok"]}]
    assert ec2.describe_instance_status(InstanceIds=[instance], Filters=request)["InstanceStatuses"]
    ec2.stop_instances(InstanceIds=[instance])
    assert ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"] == []
    response = ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)["InstanceStatuses"]
    assert response[0]["InstanceState"]["Name"] in ("stopping", "stopped")


def test_the_console_says_that_a_unit_is_missing(aws: LocalAws) -> None:
    """Page "GetConsoleOutput"."""
    instance = launch(aws, "no-such-unit")
    await_state(aws, instance, "running")
    assert "there is no unit no-such-unit" in aws.client("ec2").get_console_output(InstanceId=instance)["Output"]


def test_user_data_is_kept_and_never_run(aws: LocalAws, tmp_path: Path) -> None:
    ec2 = aws.client("ec2")
    created = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, UserData=f"#!/bin/sh\ntouch {tmp_path}/run\n")
    instance = created["Instances"][0]["InstanceId"]
    await_state(aws, instance, "running")
    assert "Value" in ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]
    assert not (tmp_path / "run").exists()


def test_a_clean_stop_ends_everything_and_the_next_start_runs_it_again(folder: Path, unit: str, tmp_path: Path) -> None:
    with running_localaws(tmp_path, speed=SPEED, units=folder / "units") as aws:
        instance = launch(aws, unit)
        first = first_start(folder, unit)
        await_state(aws, instance, "running")
    assert not alive(first)
    with running_localaws(tmp_path, speed=SPEED, units=folder / "units") as aws:
        wait_for(lambda: len(starts(folder, unit)) == 2, timeout=20, what="the start after the restart")
        await_state(aws, instance, "running")


def test_what_a_crash_left_behind_is_ended_by_the_next_start(folder: Path, unit: str, tmp_path: Path) -> None:
    with running_localaws(tmp_path, speed=SPEED, units=folder / "units") as aws:
        launch(aws, unit)
        first = first_start(folder, unit)
        aws.kill()
    assert alive(first)
    with running_localaws(tmp_path, speed=SPEED, units=folder / "units"):
        wait_for(lambda: len(starts(folder, unit)) == 2, timeout=20, what="the start after the crash")
        assert not alive(first)
    assert not any(alive(pid) for pid in starts(folder, unit))


def test_a_launch_templates_own_tags_are_no_part_of_its_data(aws):
    """Page "CreateLaunchTemplate": TagSpecifications tags the template, those of its data what is made from it."""
    ec2 = aws.client("ec2")
    own, instances = [{"Key": "of", "Value": "template"}], [{"Key": "of", "Value": "instances"}]
    data = {"InstanceType": "t3.micro", "TagSpecifications": [{"ResourceType": "instance", "Tags": instances}]}
    for name, options in (("tagged", data), ("plain", {"InstanceType": "t3.micro"})):
        ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData=options,
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": own}],
        )
        shown = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"][0]
        assert shown["LaunchTemplateData"].get("TagSpecifications", []) == options.get("TagSpecifications", [])
        assert ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"][0]["Tags"] == own
