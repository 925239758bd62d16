"""All instances: keeps their processes as the emulator's records say that they should be."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Params, Structure
from localaws.services.compute.instances import instance_processes, instance_records
from localaws.services.compute.instances.instance_records import Instance
from localaws.services.compute.instances.machine import Machine

log = logging.getLogger(__name__)
OURSELVES = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", source="ec2")
_CHANGES = {
    "ec2": ("RunInstances", "StartInstances", "StopInstances", "TerminateInstances"),
    "autoscaling": (
        "CreateAutoScalingGroup",
        "UpdateAutoScalingGroup",
        "DeleteAutoScalingGroup",
        "SetDesiredCapacity",
        "TerminateInstanceInAutoScalingGroup",
        "ExecutePolicy",
    ),
}
_AT_ONCE = 8
_FAULT = "localaws:fault"


class Fleet:
    """The machines by instance id. Its folder is below the state folder: `ec2/<instance id>/`."""

    def __init__(self, cloud: Cloud, units: Path | None) -> None:
        self._cloud, self._units = cloud, units.resolve() if units else None
        self._folder = (cloud.state / "ec2").resolve()
        self._machines: dict[str, Machine] = {}
        self._turn = threading.Lock()
        self._open = False
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="ec2")
        for service, actions in _CHANGES.items():
            for action in actions:
                cloud.after(service, action, self._changed)
        cloud.after("ec2", "RebootInstances", self._rebooted)

    def start(self) -> None:
        """End what a crash left behind, then boot what should be running; does not wait for it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._open = True
        self._pool.submit(self._resume)

    def stop(self) -> None:
        """End every process of every instance."""
        self._open = False
        self._pool.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            list(pool.map(Machine.shut, self._machines.values()))
        instance_processes.end(self._folder)

    def machine(self, instance_id: str) -> Machine | None:
        return self._machines.get(instance_id)

    def instances(self) -> list[Instance]:
        """All of them, terminated ones included."""
        if not (self._cloud.holds("ec2") or self._cloud.holds("autoscaling")):
            return []  # the emulator loads 100 MB when it is first asked
        return list(instance_records.instances())

    def reachable(self, instance: Instance) -> bool:
        """Whether Systems Manager's agent answers: the machine runs, and no fault says otherwise.

        The fault is made with the instance's tag `localaws:fault` = `ssm-unreachable`.
        """
        machine = self._machines.get(instance.id)
        return machine is not None and machine.running and instance.tags.get(_FAULT) != "ssm-unreachable"

    def reconcile(self) -> None:
        """Have every machine do what the records say; returns at once."""
        with self._turn:
            for instance in self.instances():
                machine = self._machines.get(instance.id)
                if machine is None:
                    machine = self._machines[instance.id] = Machine(
                        self._folder / instance.id, self._units, self._cloud.speed, self._environment
                    )
                if machine.want(instance):
                    self._settle(machine, instance)

    def _settle(self, machine: Machine, instance: Instance) -> None:
        if self._open:
            self._pool.submit(self._settled, machine, instance)

    def _settled(self, machine: Machine, instance: Instance) -> None:
        try:
            machine.settle(instance)
        except Exception:
            log.exception("instance %s cannot be brought to its state", instance.id)

    def _resume(self) -> None:
        try:
            if ended := instance_processes.end(self._folder, patience=10):
                log.warning("ended %d processes that a crash had left behind", ended)
            self.reconcile()
        except Exception:
            log.exception("the instances cannot be taken up again")

    def _changed(self, params: Params, result: Structure, caller: Caller) -> None:  # noqa: ARG002
        self.reconcile()

    def _rebooted(self, params: Params, result: Structure, caller: Caller) -> None:  # noqa: ARG002
        requested = set(params.get("InstanceIds") or ())
        for instance in self.instances():
            machine = self._machines.get(instance.id)
            if instance.id in requested and machine is not None:
                machine.reboot(instance)
                self._settle(machine, instance)

    def _environment(self, instance: Instance) -> dict[str, str]:
        """How what runs on the instance reaches this cloud, as the role of its instance profile."""
        environment = {
            "AWS_ENDPOINT_URL": self._cloud.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "INSTANCE_ID": instance.id,
        }
        if role := self._role(instance):
            environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{self._cloud.endpoint}/_localaws/credentials/{role}"
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self._cloud.role_token(role)
        return environment

    def _role(self, instance: Instance) -> str:
        if not instance.profile:
            return ""
        name = instance.profile.rpartition("/")[2]
        try:
            response = self._cloud.call("iam", "GetInstanceProfile", {"InstanceProfileName": name}, OURSELVES)
        except AwsError as error:
            log.warning("instance %s has no role: %s", instance.id, error.message)
            return ""
        roles = response["InstanceProfile"]["Roles"]
        return str(roles[0]["RoleName"]) if roles else ""
