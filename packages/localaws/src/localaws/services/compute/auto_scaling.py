"""Auto Scaling groups: an instance that is no longer running is replaced.

"Health checks for instances in an Auto Scaling group" (EC2 Auto Scaling user guide): an instance in any state but
running, or with impaired status checks, is unhealthy; it is terminated and another launched. The emulator launches
the other when it hears of the termination.
"""

import logging
import threading

from localaws.core.cloud import AwsError, Cloud
from localaws.services.compute.instances import instance_records
from localaws.services.compute.instances.fleet import OURSELVES, Fleet

log = logging.getLogger(__name__)
_CHECK_SECONDS = 60.0  # between two health checks, before it is divided by the speed
_MOST_OFTEN = 0.5


class Groups:
    """Checks the health of groups' instances now and then."""

    def __init__(self, cloud: Cloud, fleet: Fleet) -> None:
        self._cloud, self._fleet = cloud, fleet
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="autoscaling", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        every = max(_CHECK_SECONDS / self._cloud.speed, _MOST_OFTEN)
        unwell: set[str] = set()
        while not self._ended.wait(every):
            now = {instance.id for instance in self._fleet.instances() if self._is_unwell(instance)}
            for instance_id in now & unwell:  # unwell at two checks in a row
                self._replace(instance_id)
            unwell = now

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
