"""The Trino process: bounded in memory, on loopback, ended with the server however that ends."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from localaws.services.athena.execution.trino.installation import VERSION, Installation

_MEMORY = "1500m"
_STOP_SECONDS = 10.0
_START_SECONDS = 300.0
_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # statements on a laptop are short: the second compiler would take what it gives
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:MaxDirectMemorySize=256m",
    "-XX:ReservedCodeCacheSize=192m",
    "-XX:-OmitStackTraceInFastThrow",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djol.skipHotspotSAAttach=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
)


class TrinoStopped(Exception):
    """Why Trino does not run."""


class TrinoServer:
    """One Java process. It ends when its standard input does, so that a killed localaws leaves none behind."""

    def __init__(self, installation: Installation, etc: Path, port: int, log: Path) -> None:
        self.log = log
        self._port = port
        memory = os.environ.get("LOCALAWS_TRINO_MEMORY", _MEMORY)
        command = [str(installation.java), f"-Xmx{memory}", *_OPTIONS, f"-Dconfig={etc / 'config.properties'}"]
        argv = [*command, "-cp", installation.class_path, "Launcher", VERSION]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=etc.parent,
                env=_environment(),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_ready(self, stopping: threading.Event) -> None:
        """Return when it takes statements. Raises TrinoStopped."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None:
                raise TrinoStopped(f"Trino ended with status {self._process.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise TrinoStopped(f"Trino did not start within {_START_SECONDS:.0f} s; its log is {self.log}")
            if stopping.wait(0.2):
                raise TrinoStopped("the server is being stopped")

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End it: it holds nothing that a kill would lose."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_words(self) -> str:
        """The end of its log, or the first error in it."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in lines if "ERROR" in line or line.startswith(("1) ", "Error"))]
        return (errors[-1] if errors else lines[-1] if lines else "its log is empty")[:400]

    def answers(self) -> bool:
        """Whether it takes statements: before that it refuses connections, or says that it is starting."""
        from http.client import HTTPConnection, HTTPException

        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", "/v1/info")
            response = connection.getresponse()
            return b'"starting":false' in response.read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Nothing of the server's own environment, which may hold keys."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": os.environ.get("HOME", "/")}
