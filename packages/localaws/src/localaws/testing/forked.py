"""Processes that start as copies of one that has already imported their modules, which saves each of them seconds.

`Template.start` runs `python -m MODULE WORDS` with the code, environment, streams and signals that `subprocess.Popen`
would give it. Tests about starting a program, or about its command line, use `subprocess` instead.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from localaws.core.shapes import Structure


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

    def __del__(self) -> None:
        self._ended.close()


class Template:
    """A process to copy, which starts with the first copy. It ends, and ends its copies, with this process."""

    def __init__(self, module: str, preload: Sequence[str]) -> None:
        """`module` is the program; `preload` are modules that it imports sooner or later, and that start no threads."""
        self._module = module
        self._preload = tuple(preload)
        self._running: tuple[socket.socket, subprocess.Popen[bytes]] | None = None
        self._beginning = threading.Lock()  # threads that start copies at once share one template

    def start(
        self, words: Sequence[str], *, env: Mapping[str, str], stdout: int, stderr: int, cwd: Path | None = None
    ) -> ForkedProcess:
        """Start `python -m module words`. The streams are file descriptors; subprocess.PIPE makes a pipe for stdout."""
        with self._beginning:
            if self._running is None:
                self._running = self._begin()
                atexit.register(self.close)
        request = {"words": list(words), "env": dict(env), "cwd": str(cwd or Path.cwd())}
        if stdout != subprocess.PIPE:
            return ForkedProcess(*self._copy(request, stdout, stderr), None)
        reader, writer = os.pipe()
        try:
            pid, ended = self._copy(request, writer, stderr)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        return ForkedProcess(pid, ended, os.fdopen(reader, "rb"))

    def close(self) -> None:
        """End the template and its copies."""
        if self._running is not None:
            control, process = self._running
            control.close()
            process.wait()
            self._running = None

    def _begin(self) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
        control, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [sys.executable, "-m", "localaws.testing.template", str(remote.fileno()), self._module, *self._preload]
        with remote:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=[remote.fileno()])
        return control, process

    def _copy(self, request: Structure, stdout: int, stderr: int) -> tuple[int, socket.socket]:
        """Start a copy; returns its process id and the socket that brings its exit status."""
        assert self._running is not None
        control, process = self._running
        ended, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with remote:
            socket.send_fds(control, [json.dumps(request).encode()], [stdout, stderr, remote.fileno()])
        pid = ended.recv(64)
        if not pid:
            ended.close()
            raise RuntimeError(f"the template of {self._module} ended with {process.wait(10)}")
        return int(pid), ended
