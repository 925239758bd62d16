"""Run Command on instances ("AWS Systems Manager Run Command", "Understanding command statuses")."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.instances import SPEED, alive, await_state, describe_unit, first_start, launch, starts
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

UNIT = "worker"
DOCUMENT = {
    "schemaVersion": "2.2",
    "parameters": {
        "Action": {"type": "String", "default": "status", "allowedValues": ["status", "restart", "stop", "start"]}
    },
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "act",
            "inputs": {
                "timeoutSeconds": "30",
                "runCommand": [
                    "set -eu",
                    f"if [ '{{{{ Action }}}}' != status ]; then systemctl '{{{{ Action }}}}' {UNIT}; fi",
                    f"systemctl show {UNIT} --property=ActiveState,SubState,Result,ExecMainStatus,ActiveEnterTimestamp",
                ],
            },
        }
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ssm")
    describe_unit(folder, UNIT)
    return folder


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[LocalAws]:
    with running_localaws(folder, speed=SPEED, units=folder / "units") as aws:
        content = json.dumps(DOCUMENT)
        aws.client("ssm").create_document(Name="service", DocumentType="Command", Content=content)
        yield aws


@pytest.fixture(scope="module")
def instance(aws: LocalAws, folder: Path) -> str:
    instance = launch(aws, UNIT)
    first_start(folder, UNIT)
    await_state(aws, instance, "running")
    return instance


def send(aws: LocalAws, instance: str, document: str, **parameters: list[str]) -> str:
    sent = aws.client("ssm").send_command(InstanceIds=[instance], DocumentName=document, Parameters=parameters)
    return str(sent["Command"]["CommandId"])


def await_end(aws: LocalAws, command: str, instance: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        response = aws.client("ssm").get_command_invocation(CommandId=command, InstanceId=instance)
        return None if response["Status"] in ("Pending", "InProgress") else dict(response)

    return wait_for(ended, what="the command") or {}


def run(aws: LocalAws, instance: str, document: str, **parameters: list[str]) -> dict[str, Any]:
    return await_end(aws, send(aws, instance, document, **parameters), instance)


def shell(aws: LocalAws, instance: str, *lines: str) -> dict[str, Any]:
    return run(aws, instance, "AWS-RunShellScript", commands=list(lines))


def properties(response: dict[str, Any]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in response["StandardOutputContent"].splitlines())


def test_a_running_instance_is_online(aws: LocalAws, instance: str) -> None:
    """Page "DescribeInstanceInformation": PingStatus."""
    request = [{"Key": "InstanceIds", "Values": [instance]}]
    response = aws.client("ssm").describe_instance_information(Filters=request)["InstanceInformationList"]
    assert [item["PingStatus"] for item in response] == ["Online"]


def test_a_document_tells_how_the_service_is(aws: LocalAws, instance: str) -> None:
    """Pages "Data elements and parameters", "GetCommandInvocation"."""
    response = run(aws, instance, "service", Action=["status"])
    assert (response["Status"], response["ResponseCode"]) == ("Success", 0)
    output = properties(response)
    assert (output["ActiveState"], output["SubState"], output["Result"]) == ("active", "running", "success")
    assert output["ActiveEnterTimestamp"].endswith("UTC")


def test_a_document_restarts_the_service(aws: LocalAws, folder: Path, instance: str) -> None:
    """Page "Data elements and parameters": allowedValues of a parameter."""
    before = starts(folder, UNIT)
    assert run(aws, instance, "service", Action=["restart"])["Status"] == "Success"
    wait_for(lambda: len(starts(folder, UNIT)) == len(before) + 1, what="the restart")
    assert not alive(before[-1])


def test_a_document_stops_and_starts_the_service(aws: LocalAws, folder: Path, instance: str) -> None:
    """Page "Data elements and parameters": allowedValues of a parameter."""
    stopped = properties(run(aws, instance, "service", Action=["stop"]))
    assert (stopped["ActiveState"], stopped["SubState"]) == ("inactive", "dead")
    assert properties(run(aws, instance, "service", Action=["start"]))["ActiveState"] == "active"


def test_a_halted_process_is_active_but_silent(aws: LocalAws, folder: Path, instance: str) -> None:
    pid = wait_for(lambda: [item for item in starts(folder, UNIT) if alive(item)], what="a live process")[0]
    os.kill(pid, signal.SIGSTOP)
    assert properties(run(aws, instance, "service", Action=["status"]))["ActiveState"] == "active"
    os.kill(pid, signal.SIGCONT)


def test_a_value_that_is_not_allowed_is_refused(aws: LocalAws, instance: str) -> None:
    """Page "SendCommand": InvalidParameters."""
    with pytest.raises(aws.client("ssm").exceptions.InvalidParameters):
        send(aws, instance, "service", Action=["status; reboot"])


def test_an_unknown_document_and_an_unknown_instance_are_refused(aws: LocalAws, instance: str) -> None:
    """Page "SendCommand": InvalidDocument, InvalidInstanceId."""
    ssm = aws.client("ssm")
    with pytest.raises(ssm.exceptions.InvalidDocument):
        send(aws, instance, "no-such-document")
    with pytest.raises(ssm.exceptions.InvalidInstanceId):
        send(aws, "i-00000000000000000", "service")


def test_a_script_gives_output_errors_and_its_exit_status(aws: LocalAws, instance: str) -> None:
    """Page "GetCommandInvocation": ResponseCode, StandardOutputContent, StandardErrorContent."""
    response = shell(aws, instance, "echo out; echo err >&2; exit 3")
    assert (response["Status"], response["ResponseCode"]) == ("Failed", 3)
    assert (response["StandardOutputContent"], response["StandardErrorContent"]) == ("out\n", "err\n")


def test_output_is_cut_at_24000_characters(aws: LocalAws, instance: str) -> None:
    """Page "GetCommandInvocation": the first 24,000 characters of stdout."""
    response = shell(aws, instance, "head -c 30000 /dev/zero | tr '\\0' x")
    assert len(response["StandardOutputContent"]) == 24_000


def test_a_script_that_takes_too_long_times_out(aws: LocalAws, instance: str) -> None:
    """Page "Understanding command statuses": Execution Timed Out."""
    response = run(aws, instance, "AWS-RunShellScript", commands=["sleep 60"], executionTimeout=["1"])
    assert (response["Status"], response["StatusDetails"]) == ("TimedOut", "Execution Timed Out")


def test_a_command_can_be_cancelled(aws: LocalAws, instance: str) -> None:
    """Pages "CancelCommand", "Understanding command statuses": Cancelled."""
    command = send(aws, instance, "AWS-RunShellScript", commands=["sleep 60"])
    aws.client("ssm").cancel_command(CommandId=command)
    assert await_end(aws, command, instance)["Status"] == "Cancelled"


def test_commands_are_listed_with_their_invocations(aws: LocalAws, instance: str) -> None:
    """Pages "ListCommands", "ListCommandInvocations"."""
    response = shell(aws, instance, "echo listed")
    ssm = aws.client("ssm")
    assert ssm.list_commands(CommandId=response["CommandId"])["Commands"][0]["Status"] == "Success"
    listed = ssm.list_command_invocations(CommandId=response["CommandId"], Details=True)["CommandInvocations"]
    assert listed[0]["CommandPlugins"][0]["Output"] == "listed\n"


def test_an_unreachable_agent_is_lost_and_its_commands_time_out(aws: LocalAws, instance: str) -> None:
    """Page "Understanding command statuses": Delivery Timed Out."""
    tags = [{"Key": "localaws:fault", "Value": "ssm-unreachable"}]
    ssm, ec2 = aws.client("ssm"), aws.client("ec2")
    ec2.create_tags(Resources=[instance], Tags=tags)
    response = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [instance]}])
    assert response["InstanceInformationList"][0]["PingStatus"] == "ConnectionLost"
    sent = ssm.send_command(InstanceIds=[instance], DocumentName="service", TimeoutSeconds=30)["Command"]["CommandId"]
    assert await_end(aws, sent, instance)["StatusDetails"] == "Delivery Timed Out"
    ec2.delete_tags(Resources=[instance], Tags=tags)
