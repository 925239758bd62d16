"""Invocations: a command's run on one instance, its states, output and exit status.

"Understanding command statuses" (Systems Manager user guide).
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from localaws.services.compute.ssm.documents import Step

# "GetCommandInvocation": the first 24,000 and 8,000 characters.
_OUT_CHARACTERS = 24_000
_ERR_CHARACTERS = 8_000
_BYTES = 4 * _OUT_CHARACTERS
_TIMED_OUT = 137


@dataclass(slots=True, kw_only=True)
class Invocation:
    """Times are UTC; `exit_code` is -1 until the scripts have ended."""

    instance_id: str
    status: str = "Pending"
    details: str = "Pending"
    out: str = ""
    err: str = ""
    exit_code: int = -1
    requested: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def end(self, status: str, details: str | None = None) -> None:
        """Set the last status."""
        self.status, self.details, self.ended = status, details or status, datetime.now(UTC)
        self.done.set()

    def run(self, steps: list[Step], env: Mapping[str, str], folder: Path, log: Callable[[str], None]) -> None:
        """Run the scripts one after the other with `sh`, in a scratch folder below `folder`."""
        self.status = self.details = "InProgress"
        self.started = datetime.now(UTC)
        with tempfile.TemporaryDirectory(dir=folder, prefix="command-") as scratch:
            for step in steps:
                log(f"run command: step {step.name}")
                status = self._step(step, env, Path(scratch))
                if status in ("TimedOut", "Cancelled") or (status == "Failed" and step.ends):
                    break
        if self.cancelled.is_set():
            self.end("Cancelled")
        elif status == "TimedOut":
            self.end("TimedOut", "Execution Timed Out")
        else:
            self.end("Failed" if self.exit_code else "Success")

    def _step(self, step: Step, env: Mapping[str, str], scratch: Path) -> str:
        script = scratch / "script.sh"
        script.write_text(step.script, encoding="utf-8")
        with (scratch / "out").open("w+b") as out, (scratch / "err").open("w+b") as err:
            process = subprocess.Popen(
                ["/bin/sh", str(script)],
                cwd=step.folder or scratch,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            status = self._await(process, step.timeout)
            self.out = (self.out + _text(out.fileno()))[:_OUT_CHARACTERS]
            self.err = (self.err + _text(err.fileno()))[:_ERR_CHARACTERS]
        return status

    def _await(self, process: "subprocess.Popen[bytes]", timeout: float) -> str:
        waited = 0.0
        while not self.cancelled.is_set() and waited < timeout:
            try:
                code = process.wait(min(0.1, timeout - waited))
                self.exit_code = self.exit_code if self.exit_code > 0 else code if code >= 0 else 128 - code
                return "Failed" if code else "Success"
            except subprocess.TimeoutExpired:
                waited += 0.1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.exit_code = _TIMED_OUT if not self.cancelled.is_set() else -1
        return "Cancelled" if self.cancelled.is_set() else "TimedOut"


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _BYTES).decode("utf-8", errors="replace")
