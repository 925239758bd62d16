"""The process manager of one instance: a supervisord of its own, which plays the part that systemd has on EC2.

It outlives a crash of the local AWS, so its processes carry a mark by which the next start finds and ends them.
"""

import hashlib
import shlex
import shutil
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from localaws.core.sockets import folder as sockets
from localaws.services.compute.instances import instance_processes
from localaws.services.compute.instances.units import Unit

SOCKET = "LOCALAWS_SUPERVISOR"  # in the environment of everything on the instance: the path of the manager's socket
_RESTART = {"always": "true", "on-failure": "unexpected", "no": "false"}
# Deadlines for a machine that is far slower than it should be; what comes in time costs none of it.
_READY_SECONDS = 120.0
_GRACE_SECONDS = 30.0
Refused = (OSError, HTTPException, xmlrpc.client.Error)


def connect(socket: str) -> Any:
    """The manager's XML-RPC interface ("XML-RPC API Documentation", Supervisor)."""
    from supervisor.xmlrpc import SupervisorTransport

    return xmlrpc.client.ServerProxy(
        "http://127.0.0.1", transport=SupervisorTransport(None, None, serverurl=f"unix://{socket}")
    ).supervisor


class Supervisord:
    """Starts and ends the units of one instance. `env` is what every process on the instance gets."""

    def __init__(self, folder: Path, units: list[Unit], env: Mapping[str, str]) -> None:
        self._folder = folder
        self._units = units
        self.socket = str(sockets() / hashlib.sha256(str(folder).encode()).hexdigest()[:20])
        self.env = {**env, instance_processes.MARK: str(folder), SOCKET: self.socket}
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def patience(self) -> float:
        """Seconds within which all units must have stopped."""
        return max([float(unit.stop_timeout_seconds) for unit in self._units], default=0.0) + _GRACE_SECONDS

    def start(self) -> None:
        """Start it and its units; returns when it answers. Raises OSError when it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        Path(self.socket).unlink(missing_ok=True)
        config = self._folder / "supervisord.conf"
        config.write_text(self._configuration(), encoding="utf-8")
        with (self._folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(config)],
                env=self.env,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self._await_ready()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                connect(self.socket).getState()
                return
            except Refused as error:
                if not self.alive or time.monotonic() > deadline:
                    raise OSError(f"the instance's process manager does not answer: {error}") from error
                time.sleep(0.05)

    def crashed(self) -> bool:
        """Wait for its end; returns whether it ended by itself rather than by `stop`."""
        if self._process is not None:
            self._process.wait()
        return not self._stopping

    def stop(self) -> None:
        """Stop the units as they ask to be stopped, then kill what is left."""
        self._stopping = True
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        instance_processes.end(self._folder)
        Path(self.socket).unlink(missing_ok=True)

    def _configuration(self) -> str:
        lines = [
            "[unix_http_server]",
            f"file={_plain(self.socket)}",
            "chmod=0600",
            "[supervisord]",
            f"logfile={_plain(self._folder / 'supervisord.log')}",
            "logfile_maxbytes=1MB",
            "logfile_backups=1",
            f"pidfile={_plain(self._folder / 'supervisord.pid')}",
            f"childlogdir={_plain(self._folder)}",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for unit in self._units:
            lines += self._program(unit)
        return "\n".join(lines) + "\n"

    def _program(self, unit: Unit) -> list[str]:
        log = unit.log or self._folder / f"{unit.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return [
            f"[program:{unit.name}]",
            f"command={_plain(shlex.quote(str(self._launcher(unit))))}",
            f"autorestart={_RESTART[unit.restart]}",
            "exitcodes=0",
            # A unit runs as soon as it is started (systemd.service, Type=simple); it is restarted once a second at
            # most, and never given up.
            "startsecs=0",
            f"stopsignal={unit.stop_signal}",
            f"stopwaitsecs={unit.stop_timeout_seconds}",
            "stopasgroup=true",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={_plain(log)}",
        ]

    def _launcher(self, unit: Unit) -> Path:
        """A script that becomes the unit's program: keeps its environment out of argv and of the manager's quoting."""
        lines = ["#!/bin/sh"]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in unit.env.items()]
        lines.append(f"cd {shlex.quote(str(unit.working_directory or self._folder))} || exit 200")
        lines.append(f"exec {shlex.join(unit.argv)}")
        path = self._folder / f"{unit.name}.sh"
        path.touch(mode=0o700)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def forget(self) -> None:
        """Remove what the instance wrote, as a terminated instance's root volume is removed."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _plain(text: object) -> str:
    return str(text).replace("%", "%%")  # supervisord expands %(name)s
