"""The streamer's host as Systems Manager reaches it: the one instance, and the release document run on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.aws.resources import StreamerNames
from postrank.deploy.failures import NotInstalled
from postrank.errors import Fatal

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef, InstanceInformationStringFilterTypeDef

_LOOK_SECONDS = 1.0
_DELIVERY_SECONDS = 60  # for the agent to take a command up
_GOES_ON = ("Pending", "InProgress", "Delayed", "Cancelling")
_SEEN = 600  # characters of what a failed command said


class HostRefused(Fatal):
    """The host ran a command, and it failed."""


@dataclass(slots=True)
class Host:
    """One host. `meanwhile` is called at every look, while a command runs."""

    ec2: "EC2Client"
    ssm: "SSMClient"
    names: StreamerNames
    meanwhile: Callable[[], None]
    instance: str = ""

    def find(self) -> str:
        """The id of the running instance whose agent answers. Raises NotInstalled."""
        filters: list[FilterTypeDef] = [
            {"Name": "tag:Name", "Values": [self.names.name]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=filters)
        instances = [
            instance["InstanceId"]
            for page in pages
            for group in page["Reservations"]
            for instance in group["Instances"]
        ]
        if len(instances) != 1:
            raise NotInstalled(f"{len(instances)} instances called {self.names.name} are running, not one")
        agent_filters: list[InstanceInformationStringFilterTypeDef] = [{"Key": "InstanceIds", "Values": instances}]
        agents = self.ssm.describe_instance_information(Filters=agent_filters)["InstanceInformationList"]
        if not any(instance["PingStatus"] == "Online" for instance in agents):
            raise NotInstalled(
                f"the agent on {instances[0]} does not respond to Systems Manager; supervise_streamer repairs that"
            )
        self.instance = str(instances[0])
        return self.instance

    def install(self, version: str, digest: str) -> str:
        """Install a published release beside what runs; returns the version that runs, or "". Raises HostRefused."""
        output = self._run(Action="install", Version=version, Sums=digest)
        runs = (line.removeprefix("running ") for line in output.splitlines() if line.startswith("running "))
        return next(runs, "").strip()

    def activate(self, version: str) -> None:
        """Make an installed release the one that runs. Raises HostRefused."""
        self._run(Action="activate", Version=version)

    def _run(self, **parameters: str) -> str:
        sent = self.ssm.send_command(
            DocumentName=self.names.release_document,
            InstanceIds=[self.instance],
            Parameters={name: [value] for name, value in parameters.items()},
            TimeoutSeconds=_DELIVERY_SECONDS,
        )["Command"]["CommandId"]
        while (invocation := self._invocation(sent)) is None or invocation["Status"] in _GOES_ON:
            self.meanwhile()
            time.sleep(_LOOK_SECONDS)
        if invocation["Status"] != "Success":
            output = (invocation["StandardErrorContent"] or invocation["StandardOutputContent"]).strip()[-_SEEN:]
            what = f"{parameters['Action']} {parameters['Version']} on {self.instance}"
            raise HostRefused(f"{what}: {invocation['StatusDetails']}, status {invocation['ResponseCode']}: {output}")
        return str(invocation["StandardOutputContent"])

    def _invocation(self, command: str) -> "GetCommandInvocationResultTypeDef | None":
        """What is known of a command; None while Systems Manager does not know it yet on this instance."""
        try:
            return self.ssm.get_command_invocation(CommandId=command, InstanceId=self.instance)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvocationDoesNotExist":
                raise
            return None
