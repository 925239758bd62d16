"""The real `localaws serve` in a process of its own, forked from one that has its modules, for one test or many."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import boto3
from botocore.config import Config

from localaws.core.root_key import RootKey, root_key
from localaws.core.shapes import Document
from localaws.testing.forked import ForkedProcess, Template
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for

REGION = "us-east-1"
READY_SECONDS = 30.0
STOP_SECONDS = 20.0
_TEMPLATE = Template("localaws", ["localaws.testing.preloaded"])
Process: TypeAlias = "subprocess.Popen[bytes] | ForkedProcess"


class LocalAws:
    """A running server: its endpoint, its process, clients for it, and what it logged of their calls."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.state = folder / "state"
        self.credentials = self.state / "credentials"
        self.endpoint = ""
        self.stderr = folder / "localaws.stderr"
        self._clients: Document = {}

    @property
    def root(self) -> RootKey:
        """The root's access key."""
        return root_key(self.credentials)

    @property
    def root_environment(self) -> dict[str, str]:
        """The environment of a process whose calls come here as root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.root.key,
            "AWS_SECRET_ACCESS_KEY": self.root.secret,
        }

    def role_environment(self, role: str) -> dict[str, str]:
        """The variables by which a process gets a role's credentials."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.endpoint}/_localaws/credentials/{role}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.root.token_of(role),
        }

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client that does not retry; the account's root, unless `options` of boto3's own say otherwise.

        Without options it is made once: a client takes longer to make than most calls take.
        """
        if options:
            return self._create_client(service, options)
        if service not in self._clients:
            self._clients[service] = self._create_client(service, {})
        return self._clients[service]

    def _create_client(self, service: str, options: Document) -> Any:
        usual = {
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "aws_access_key_id": self.root.key,
            "aws_secret_access_key": self.root.secret,
            "config": Config(retries={"total_max_attempts": 1}, read_timeout=patient(60), proxies={}),
        }
        make: Any = boto3.client  # the stubs know each service by a literal name
        return make(service, **{**usual, **options})

    def role_keys(self, role: str) -> dict[str, str]:
        """Options of `client` that make it a session of that role."""
        environment = self.role_environment(role)
        request = urllib.request.Request(
            environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
            headers={"Authorization": environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]},
        )
        with urllib.request.urlopen(request) as answer:
            credentials = json.load(answer)
        return {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["Token"],
        }

    def call_log(self) -> list[Document]:
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
        return self.process.wait(patient(STOP_SECONDS))


@contextmanager
def running_localaws(
    folder: Path,
    *,
    speed: float = 1,
    enforce_iam: bool = False,
    units: Path | None = None,
    kinesis_limits: str | None = None,
    env: dict[str, str] | None = None,
    options: Sequence[str] = (),
) -> Iterator[LocalAws]:
    """A server on a free port with its state in `folder`, ready to answer; started again on the same folder it has the
    same state. `kinesis_limits` is LOCALAWS_KINESIS_LIMITS, `options` more of the command's own.
    """
    words = ["serve", "--port", "0", "--state", str(folder / "state")]
    words += ["--call-log", str(folder / "calls.jsonl"), "--speed", str(speed)]
    words += ["--enforce-iam"] if enforce_iam else []
    words += options
    words += ["--units", str(units)] if units else []
    limits = {"LOCALAWS_KINESIS_LIMITS": kinesis_limits} if kinesis_limits else {}
    with (folder / "localaws.stderr").open("ab") as stderr:
        process = _started(words, {**limits, **(env or {})}, stderr.fileno())
    server = LocalAws(process, folder)
    try:
        server.endpoint = _ready(server)
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            server.kill()
            raise AssertionError(f"localaws did not stop within {patient(STOP_SECONDS):g} s") from None
        finally:
            if process.stdout:
                process.stdout.close()


def _started(words: Sequence[str], env: Mapping[str, str], stderr: int) -> Process:
    environment = {**os.environ, **env}
    if "PYTHONPATH" in env:  # it is for an interpreter that is yet to start
        argv = [sys.executable, "-m", "localaws", *words]
        return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=stderr)
    return _TEMPLATE.start(words, env=environment, stdout=subprocess.PIPE, stderr=stderr)


def _ready(server: LocalAws) -> str:
    """The endpoint that the ready line names."""
    lines: list[str] = []

    def read() -> None:
        assert server.process.stdout
        lines.extend(line.decode() for line in server.process.stdout)

    threading.Thread(target=read, daemon=True).start()

    def ready() -> str:
        line = next((candidate for candidate in lines if "ready on" in candidate), "")
        if not line and server.process.poll() is not None:
            raise AssertionError(f"localaws ended with {server.process.returncode}:\n{server.stderr.read_text()}")
        return line.rpartition(" ")[2].strip()

    return wait_for(ready, timeout=READY_SECONDS, what="localaws to be ready")
