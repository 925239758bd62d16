"""Run Command and the inventory of managed instances."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, AwsError, Caller, Cloud
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.compute.instances.fleet import Fleet
from localaws.services.compute.instances.instance_records import Instance
from localaws.services.compute.ssm.commands import Command
from localaws.services.compute.ssm.documents import RUN_SHELL_SCRIPT, Step, steps
from localaws.services.compute.ssm.invocations import Invocation

_OURSELVES = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", source="ssm")
_DELIVERY_SECONDS = 3600  # "SendCommand", TimeoutSeconds
_AT_ONCE = 8
_LOOK_AGAIN_SECONDS = 0.2


class SsmService:
    """Sends commands to the instances of a fleet."""

    name = "ssm"

    def __init__(self, cloud: Cloud, fleet: Fleet) -> None:
        self._cloud = cloud
        self._fleet = fleet
        self._commands: dict[str, Command] = {}
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="ssm")
        self._verbs: dict[str, Callable[[Structure], Document]] = {
            "SendCommand": self._send,
            "CancelCommand": self._cancel,
            "GetCommandInvocation": self._get,
            "ListCommands": self._list,
            "ListCommandInvocations": self._list_invocations,
            "DescribeInstanceInformation": self._describe,
        }
        self.actions = frozenset(self._verbs)

    def start(self) -> None:
        """Commands run as they are sent; there is nothing to take up."""

    def stop(self) -> None:
        self._ended.set()
        for command in self._commands.values():
            for invocation in command.invocations.values():
                invocation.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:  # noqa: ARG002
        return self._verbs[action](params)

    def _send(self, params: Params) -> Response:
        version, content = self._document(params)
        parameters = params.get("Parameters") or {}
        script = steps(content, parameters)
        chosen = self._chosen(params.get("InstanceIds") or [], params.get("Targets") or [])
        command = Command(
            document=str(params.get("DocumentName")),
            version=version,
            parameters=parameters,
            comment=str(params.get("Comment", "")),
            timeout=int(params.get("TimeoutSeconds") or _DELIVERY_SECONDS),
            targets=list(params.get("Targets") or []),
            invocations={instance.id: Invocation(instance_id=instance.id) for instance in chosen},
            plugins=[step.name for step in script],
        )
        description = command.describe()
        self._commands[command.id] = command
        for instance in chosen:
            self._pool.submit(self._deliver, command, instance, script)
        return {"Command": description}

    def _deliver(self, command: Command, instance: Instance, script: list[Step]) -> None:
        invocation = command.invocations[instance.id]
        waited = 0.0
        while not self._fleet.reachable(_now(self._fleet, instance)):
            if invocation.cancelled.is_set():
                return invocation.end("Cancelled")
            if waited * self._cloud.speed >= command.timeout:
                return invocation.end("TimedOut", "Delivery Timed Out")
            self._ended.wait(_LOOK_AGAIN_SECONDS)
            waited += _LOOK_AGAIN_SECONDS
        machine = self._fleet.machine(instance.id)
        if machine is None or machine.manager is None:
            return invocation.end("TimedOut", "Delivery Timed Out")
        try:
            invocation.run(script, machine.manager.env, machine.folder, machine.say)
        except OSError as error:
            invocation.err = str(error)
            invocation.exit_code = 1
            invocation.end("Failed")
        return None

    def _document(self, params: Params) -> tuple[str, str]:
        """The document's version and content. Raises AwsError InvalidDocument."""
        name = str(params.get("DocumentName", ""))
        if name == "AWS-RunShellScript":
            return "1", json.dumps(RUN_SHELL_SCRIPT)
        request = {"Name": name, "DocumentFormat": "JSON"}
        if version := params.get("DocumentVersion"):
            request["DocumentVersion"] = version
        try:
            document = self._cloud.call("ssm", "GetDocument", request, _OURSELVES)
        except AwsError as error:
            raise AwsError("InvalidDocument", f"Document with name {name} does not exist.") from error
        return str(document["DocumentVersion"]), str(document["Content"])

    def _chosen(self, ids: list[str], targets: list[Document]) -> list[Instance]:
        """The instances that a command goes to. Raises AwsError InvalidInstanceId for what is not managed."""
        running = {instance.id: instance for instance in self._fleet.instances() if instance.state == "running"}
        wrong = [instance_id for instance_id in ids if instance_id not in running]
        if wrong or not (ids or targets):
            message = f"Instances [[{', '.join(wrong)}]] not in a valid state for account {ACCOUNT}"
            raise AwsError("InvalidInstanceId", message)
        chosen = [running[instance_id] for instance_id in ids]
        if targets:
            matching = (instance for instance in running.values() if all(_is_target(instance, by) for by in targets))
            chosen += [instance for instance in matching if instance not in chosen]
        return chosen

    def _find(self, params: Params) -> Command:
        command = self._commands.get(str(params.get("CommandId")))
        if command is None:
            raise AwsError("InvalidCommandId", "The specified command ID isn't valid. Verify the ID and try again.")
        return command

    def _cancel(self, params: Params) -> Response:
        command = self._find(params)
        ids = params.get("InstanceIds")
        for instance_id, invocation in command.invocations.items():
            if not ids or instance_id in ids:
                invocation.cancelled.set()
        return {}

    def _get(self, params: Params) -> Response:
        command = self._commands.get(str(params.get("CommandId")))
        invocation = command.invocations.get(str(params.get("InstanceId"))) if command else None
        plugin = params.get("PluginName")
        if command is None or invocation is None:
            raise AwsError("InvocationDoesNotExist", "The command ID and managed node ID you specified did not match.")
        if plugin and plugin not in command.plugins:
            raise AwsError("InvalidPluginName", "The plugin name isn't valid.")
        return command.describe_invocation(invocation)

    def _list(self, params: Params) -> Response:
        return {"Commands": [command.describe() for command in self._newest_first(params)]}

    def _list_invocations(self, params: Params) -> Response:
        details = bool(params.get("Details"))
        return {
            "CommandInvocations": [
                command.list_entry(invocation, details)
                for command in self._newest_first(params)
                for invocation in command.invocations.values()
                if params.get("InstanceId") in (None, invocation.instance_id)
            ]
        }

    def _newest_first(self, params: Params) -> list[Command]:
        commands = [self._find(params)] if params.get("CommandId") else list(self._commands.values())
        instance = params.get("InstanceId")
        commands = [command for command in commands if instance is None or instance in command.invocations]
        return sorted(commands, key=lambda command: command.requested, reverse=True)

    def _describe(self, params: Params) -> Response:
        """DescribeInstanceInformation": agents that have once registered, with whether they answer now."""
        conditions = {information["Key"]: information["Values"] for information in params.get("Filters") or []}
        conditions |= {
            information["key"]: information["valueSet"]
            for information in params.get("InstanceInformationFilterList") or []
        }
        listed = []
        for instance in self._fleet.instances():
            machine = self._fleet.machine(instance.id)
            if machine is None or machine.booted_at is None or instance.state == "terminated":
                continue
            online = self._fleet.reachable(instance)
            seen = datetime.now(UTC) if online else machine.booted_at
            information = {
                "InstanceId": instance.id,
                "PingStatus": "Online" if online else "ConnectionLost",
                "LastPingDateTime": seen,
                "AgentVersion": "3.3.0.0",
                "IsLatestVersion": True,
                "PlatformType": "Linux",
                "PlatformName": "Amazon Linux",
                "PlatformVersion": "2023",
                "ResourceType": "EC2Instance",
                "IPAddress": str(instance.raw.private_ip or "127.0.0.1"),
                "ComputerName": instance.id,
            }
            if all(_matches(instance, information, key, values) for key, values in conditions.items()):
                listed.append(information)
        return {"InstanceInformationList": listed}


def _now(fleet: Fleet, instance: Instance) -> Instance:
    """The instance as its tags are now."""
    return next((candidate for candidate in fleet.instances() if candidate.id == instance.id), instance)


def _is_target(instance: Instance, target: Structure) -> bool:
    key = str(target["Key"])
    values = target["Values"]
    if key == "InstanceIds":
        return instance.id in values
    return key.startswith("tag:") and instance.tags.get(key.removeprefix("tag:")) in values


def _matches(instance: Instance, information: Structure, key: str, values: list[str]) -> bool:
    fields = {"InstanceIds": "InstanceId", "PlatformTypes": "PlatformType"}
    if key.startswith("tag:"):
        return instance.tags.get(key.removeprefix("tag:")) in values
    field = fields.get(key, key)
    if field not in information:
        raise AwsError("InvalidFilterKey", f"The specified key {key} isn't valid.")
    return str(information[field]) in values
