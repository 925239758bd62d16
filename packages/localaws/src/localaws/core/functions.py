"""Functions: Python files that stand for Lambda functions, each run in a process of its own.

`<folder>/<name>.py` defines `lambda_handler(event, context)` of `arn:aws:lambda:REGION:ACCOUNT:function:<name>`.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.shapes import Json

_ARN_PARTS = 7
TIMEOUT_SECONDS = 60.0


class FunctionFailed(Exception):
    """An invocation without a result. `code` is the last part of Firehose's code for it ("FunctionError")."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Functions:
    """The functions of a folder. Processes start at the first invocation, and again when their file changes."""

    def __init__(self, folder: Path | None, endpoint: str = "") -> None:
        """`endpoint` is where the functions' own AWS calls go."""
        self._folder = folder
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._processes: dict[Path, _Process] = {}

    def path(self, arn: str) -> Path:
        """The file of a function. Raises FunctionFailed for one that is not registered."""
        parts = arn.split(":")
        name = parts[6] if len(parts) >= _ARN_PARTS else ""
        if (
            parts[:6] != ["arn", "aws", "lambda", REGION, ACCOUNT, "function"]
            or not name.replace("-", "").isidentifier()
        ):
            raise FunctionFailed("FunctionNotFound", f"{arn} is not the ARN of a function of this account and region")
        if self._folder is None:
            raise FunctionFailed("FunctionNotFound", f"There is no function {name}: start localaws with --functions")
        path = self._folder / f"{name}.py"
        if not path.is_file():
            raise FunctionFailed("FunctionNotFound", f"There is no function {name}: {path} does not exist")
        return path

    def invoke(self, arn: str, event: Mapping[str, Json]) -> Json:
        """The result of the handler. Raises FunctionFailed."""
        path = self.path(arn)
        with self._lock:
            process = self._processes.get(path)
            if process is None or process.changed():
                process = self._processes[path] = _Process(path, self._endpoint, process)
        return process.invoke(event)

    def stop(self) -> None:
        with self._lock:
            for process in self._processes.values():
                process.stop()
            self._processes = {}


class _Process:
    """A process that answers one event at a time: a JSON line in, a JSON line out."""

    def __init__(self, path: Path, endpoint: str, earlier: "_Process | None") -> None:
        if earlier is not None:
            earlier.stop()
        self._path = path
        self._modified = path.stat().st_mtime_ns
        self._lock = threading.Lock()
        environment = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_LAMBDA_FUNCTION_NAME": path.stem}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "localaws.core.function_process", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )

    def changed(self) -> bool:
        """Whether it has ended, or its file is newer than it."""
        return self._process.poll() is not None or self._path.stat().st_mtime_ns != self._modified

    def invoke(self, event: Mapping[str, Json]) -> Json:
        with self._lock:
            answer = self._exchange(json.dumps(event).encode() + b"\n")
        if not answer:
            raise FunctionFailed("FunctionError", f"{self._path.name} ended, or took more than {TIMEOUT_SECONDS:g} s")
        response = json.loads(answer)
        if "error" in response:
            raise FunctionFailed("FunctionError", str(response["error"]))
        return response["result"]

    def _exchange(self, line: bytes) -> bytes:
        """What the process answers; b"" once it ended."""
        stdin = self._process.stdin
        stdout = self._process.stdout
        if stdin is None or stdout is None:
            return b""
        timer = threading.Timer(TIMEOUT_SECONDS, self._process.kill)
        timer.start()
        try:
            stdin.write(line)
            stdin.flush()
            return stdout.readline()
        except (OSError, ValueError):
            return b""
        finally:
            timer.cancel()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not written is of no more use
                    pipe.close()
