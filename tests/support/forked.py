"""Processes that start as copies of one that has already imported their modules, which saves each of them seconds.

`start` runs `python -m MODULE WORDS` with the code, environment, streams and signals that `subprocess.Popen` would give
it. The copy comes from a template process (`forked_template.py`), one for each module and each process of the tests.
Tests about starting a program, or about its command line, use `subprocess` instead.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
_templates: dict[str, "_Template"] = {}


class ForkedProcess:
    """What tests use of `subprocess.Popen`, for a process whose parent is the template."""

    def __init__(self, pid: int, ended: socket.socket, stdout: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, negative for a signal. Raises subprocess.TimeoutExpired."""
        status = self._status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            message = self._ended.recv(64)
            self._ended.close()
            if not message:
                raise RuntimeError(f"the template of process {self.pid} ended before it")
            self.returncode = os.waitstatus_to_exitcode(int(message))
        return self.returncode


class _Template:
    """The process to copy. It ends, and ends its copies, when this process is gone."""

    def __init__(self, module: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [sys.executable, "-m", "tests.support.forked_template", module, str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def copy(self, request: Mapping[str, Any], stdout: int, stderr: int) -> tuple[int, socket.socket]:
        """Start one; returns its process id and the socket that brings its exit status."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._control, [json.dumps(request).encode()], [stdout, stderr, theirs.fileno()])
        pid = ours.recv(64)
        if not pid:
            raise RuntimeError(f"the template ended with {self._process.wait(10)}")
        return int(pid), ours


def start(
    module: str, words: Sequence[str], *, env: Mapping[str, str], stdout: int, stderr: int, cwd: Path | None = None
) -> ForkedProcess:
    """Start `python -m module words`. The streams are file descriptors; subprocess.PIPE makes a pipe for stdout."""
    if module not in _templates:
        _templates[module] = _Template(module)
    reading: IO[bytes] | None = None
    writing = stdout
    if stdout == subprocess.PIPE:
        reader, writing = os.pipe()
        reading = os.fdopen(reader, "rb")
    request = {"words": list(words), "env": dict(env), "cwd": str(cwd or Path.cwd())}
    try:
        pid, ended = _templates[module].copy(request, writing, stderr)
    finally:
        if writing != stdout:
            os.close(writing)
    return ForkedProcess(pid, ended, reading)
