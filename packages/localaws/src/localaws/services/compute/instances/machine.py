"""The life of one instance: its processes are brought to the state that was asked for, one step at a time."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from localaws.services.compute.instances import instance_processes, instance_records, units
from localaws.services.compute.instances.instance_records import Instance
from localaws.services.compute.instances.supervisord import Supervisord

log = logging.getLogger(__name__)
# Seconds on AWS, before they are divided by the speed.
_BOOT_SECONDS = 5.0
_CHECK_SECONDS = 60.0
_HALT_SECONDS = 5.0
# What may come through from the environment of the local AWS to what runs on its instances.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class Machine:
    """The processes of one instance. `environment` gives what they need to reach the cloud, as the instance's role."""

    def __init__(
        self,
        folder: Path,
        units_folder: Path | None,
        speed: float,
        environment: Callable[[Instance], Mapping[str, str]],
    ) -> None:
        self.folder = folder
        self._units_folder = units_folder
        self._speed = speed
        self._environment = environment
        self._turn = threading.Lock()
        self._target = ""
        self._reached = ""
        self._rebooting = False
        self.manager: Supervisord | None = None
        self.booted_at: datetime | None = None
        self._checked_after = 0.0

    @property
    def running(self) -> bool:
        return self._reached == "running" and self.manager is not None and self.manager.alive

    @property
    def checks(self) -> str:
        """The summary of its status checks ("Status checks for Amazon EC2 instances")."""
        if not self.running:
            return "impaired" if self._reached == "running" else "not-applicable"
        return "initializing" if time.monotonic() < self._checked_after else "ok"

    def want(self, instance: Instance) -> bool:
        """Note what was asked of the instance, and show the state between. Returns whether there is something to do."""
        if not self._reached and instance.state in ("stopped", "terminated"):  # as an earlier start left it
            self._target = self._reached = instance.state
        if instance.state in ("running", "stopped", "terminated") and instance.state != self._reached:
            between = {"running": "pending", "stopped": "stopping", "terminated": "shutting-down"}[instance.state]
            self._target = instance.state
            instance_records.show(instance, between)
        return self._target != self._reached

    def reboot(self, instance: Instance) -> None:
        """Have the next `settle` restart what runs; what does not run stays as it is."""
        if self._reached == "running":
            self._rebooting = True
        elif self._reached:
            instance_records.show(instance, self._reached)

    def settle(self, instance: Instance) -> None:
        """Bring the processes to the target state; returns when they have reached it."""
        with self._turn:
            while self._target != self._reached or self._rebooting:
                target = self._target
                self._rebooting = False
                self._halt()
                if target == "running":
                    self._boot(instance)
                else:
                    time.sleep(_HALT_SECONDS / self._speed)
                self._reached = target
                if self._target == target:
                    instance_records.show(instance, target)
            if self._reached == "terminated":
                self._discard()

    def shut(self) -> None:
        """End the processes as the local AWS ends; what was asked of the instance stays as it is."""
        with self._turn:
            self._halt()
            self._reached = self._target = ""

    def _boot(self, instance: Instance) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.say(f"instance {instance.id} boots")
        time.sleep(_BOOT_SECONDS / self._speed)
        loaded = []
        for name in instance.units:
            try:
                loaded.append(units.load(self._units_folder, name))
            except units.BadUnit as error:
                self.say(str(error))
                log.warning("instance %s: %s", instance.id, error)
        manager = self.manager = Supervisord(self.folder, loaded, self._environ(instance))
        try:
            manager.start()
            self.say("started " + (", ".join(unit.name for unit in loaded) or "no units"))
            threading.Thread(target=self._watch, args=(manager, instance), name="ec2-manager", daemon=True).start()
        except OSError as error:
            self.say(str(error))
            log.exception("instance %s does not boot", instance.id)
        self.booted_at = datetime.now(UTC)
        self._checked_after = time.monotonic() + _CHECK_SECONDS / self._speed

    def _watch(self, manager: Supervisord, instance: Instance) -> None:
        """Reboot when the process manager dies, as a kernel does whose init has died."""
        if manager.crashed() and self.manager is manager:
            self.say("the process manager died: the instance reboots")
            log.warning("the process manager of instance %s died: it reboots", instance.id)
            self.reboot(instance)
            self.settle(instance)

    def _environ(self, instance: Instance) -> dict[str, str]:
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        systemctl = tools / "systemctl"
        systemctl.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -m localaws.services.compute.instances.systemctl "$@"\n'
        )
        systemctl.chmod(0o700)
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        installed = [str(self._units_folder / "bin")] if self._units_folder else []
        path = ":".join([str(tools), *installed, inherited.get("PATH", os.defpath)])
        return {**inherited, **self._environment(instance), "PATH": path}

    def _halt(self) -> None:
        if self.manager is not None:
            self.say("the processes are stopped")
            self.manager.stop()
            self.manager = None
        else:
            instance_processes.end(self.folder)

    def _discard(self) -> None:
        if self.folder.exists():
            Supervisord(self.folder, [], {}).forget()

    def say(self, text: str) -> None:
        """Add a line to the console."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "console.log").open("a", encoding="utf-8") as console:
            console.write(f"[{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}] {text}\n")

    def console(self) -> str:
        path = self.folder / "console.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
