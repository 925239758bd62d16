"""The real `localaws serve` in a process of its own, for one test or a module of tests."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from localaws.testing.waiting import wait_for

REGION = "us-east-1"
READY_SECONDS = 30.0
STOP_SECONDS = 20.0


class LocalAws:
    """A running server: its endpoint, its process, clients for it, and what it logged of their calls."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.state = folder / "state"
        self.endpoint = ""
        self.stderr = folder / "localaws.stderr"

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client that does not retry; the account's root, unless `options` of boto3's own say otherwise."""
        usual = {
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "aws_access_key_id": "localaws",
            "aws_secret_access_key": "localaws",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        make: Any = boto3.client  # the stubs know each service by a literal name
        return make(service, **{**usual, **options})

    def role_keys(self, role: str) -> dict[str, str]:
        """Options of `client` that make it a session of that role."""
        with urllib.request.urlopen(f"{self.endpoint}/_localaws/credentials/{role}") as answer:
            made = json.load(answer)
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["Token"],
        }

    def call_log(self) -> list[dict[str, Any]]:
        """Every line of the call log so far, oldest first."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as an operator does; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running_localaws(
    folder: Path,
    *,
    speed: float = 1,
    enforce_iam: bool = False,
    units: Path | None = None,
    kinesis_limits: str | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[LocalAws]:
    """A server on a free port with its state in `folder`, ready to answer; started again on the same folder it has the
    same state. `kinesis_limits` is LOCALAWS_KINESIS_LIMITS.
    """
    argv = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(folder / "state")]
    argv += ["--call-log", str(folder / "calls.jsonl"), "--speed", str(speed)]
    argv += ["--enforce-iam"] if enforce_iam else []
    argv += ["--units", str(units)] if units else []
    limits = {"LOCALAWS_KINESIS_LIMITS": kinesis_limits} if kinesis_limits else {}
    with (folder / "localaws.stderr").open("ab") as stderr:
        process = subprocess.Popen(
            argv, env={**os.environ, **limits, **(env or {})}, stdout=subprocess.PIPE, stderr=stderr
        )
    server = LocalAws(process, folder)
    try:
        server.endpoint = _ready(server)
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            server.kill()
            raise AssertionError(f"localaws did not stop within {STOP_SECONDS} s") from None
        finally:
            if process.stdout:
                process.stdout.close()


def _ready(server: LocalAws) -> str:
    """The endpoint that the ready line names."""
    said: list[str] = []

    def read() -> None:
        assert server.process.stdout
        said.extend(line.decode() for line in server.process.stdout)

    threading.Thread(target=read, daemon=True).start()

    def ready() -> str:
        line = next((one for one in said if "ready on" in one), "")
        if not line and server.process.poll() is not None:
            raise AssertionError(f"localaws ended with {server.process.returncode}:\n{server.stderr.read_text()}")
        return line.rpartition(" ")[2].strip()

    return wait_for(ready, timeout=READY_SECONDS, what="localaws to be ready")
