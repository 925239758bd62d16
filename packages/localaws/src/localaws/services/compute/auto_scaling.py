"""Auto Scaling groups: an instance that is no longer running is replaced.

"Health checks for instances in an Auto Scaling group" (EC2 Auto Scaling user guide): an instance in any state but
running, or with impaired status checks, is unhealthy; it is terminated and another launched. The emulator launches
the other when it hears of the termination.
"""

import logging

from localaws.core.cloud import AwsError, Cloud
from localaws.core.periodic import Periodic
from localaws.services.compute.instances import instance_records
from localaws.services.compute.instances.fleet import OURSELVES, Fleet

log = logging.getLogger(__name__)
_CHECK_SECONDS = 60.0  # between two health checks, before it is divided by the speed
_MOST_OFTEN = 0.5


class Groups:
    """Checks the health of groups' instances now and then."""

    def __init__(self, cloud: Cloud, fleet: Fleet) -> None:
        self._cloud = cloud
        self._fleet = fleet
        self._unwell: set[str] = set()  # at the last check
        self._checks = Periodic("autoscaling", self._check, max(_CHECK_SECONDS / cloud.speed, _MOST_OFTEN))

    def start(self) -> None:
        self._checks.start()

    def stop(self) -> None:
        self._checks.stop()

    def _check(self) -> None:
        unwell = {instance.id for instance in self._fleet.instances() if self._is_unwell(instance)}
        for instance_id in unwell & self._unwell:  # unwell at two checks in a row
            self._replace(instance_id)
        self._unwell = unwell

    def _is_unwell(self, instance: instance_records.Instance) -> bool:
        machine = self._fleet.machine(instance.id)
        if machine is None or not instance_records.is_member(instance):
            return False
        return instance.state == "stopped" or (instance.state == "running" and machine.checks == "impaired")

    def _replace(self, instance_id: str) -> None:
        log.warning("instance %s is unhealthy: its group replaces it", instance_id)
        request = {"InstanceId": instance_id, "ShouldDecrementDesiredCapacity": False}
        try:
            self._cloud.call("autoscaling", "TerminateInstanceInAutoScalingGroup", request, OURSELVES)
        except AwsError as error:
            log.warning("instance %s cannot be replaced: %s", instance_id, error.message)
