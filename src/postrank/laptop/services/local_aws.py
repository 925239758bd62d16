"""The local AWS of a run: its process, and clients for it."""

import sys
from collections.abc import Mapping
from typing import Any

import boto3
import httpx
from botocore.config import Config

from postrank.laptop.services.processes import Parts
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.ports import HOST

SPEED = 60  # a delivery stream that buffers for 300 s delivers every 5 s
READY_SECONDS = 60.0
_ROOT = "localaws"  # the access key of the local account's root, which is no secret


class LocalCloud:
    """Starts `localaws` among `parts`, and makes boto3 clients that reach it."""

    def __init__(self, parts: Parts, layout: Layout, port: int, region: str) -> None:
        self.endpoint = f"http://{HOST}:{port}"
        self._parts, self._layout, self._port, self._region = parts, layout, port, region
        self._session: Any = boto3.Session(aws_access_key_id=_ROOT, aws_secret_access_key=_ROOT, region_name=region)

    def start(self, env: Mapping[str, str]) -> None:
        """Start the process; returns at once."""
        argv = [
            sys.executable, "-m", "localaws", "serve",
            "--port", str(self._port),
            "--state", str(self._layout.aws / "state"),
            "--call-log", str(self._layout.call_log),
            "--units", str(self._layout.units),
            "--speed", str(SPEED),
            "--enforce-iam",
        ]  # fmt: skip
        self._parts.start("localaws", argv, env, self._layout.root)

    def wait(self) -> None:
        """Return when it answers."""
        self._parts.wait_until("localaws", self._healthy, READY_SECONDS)

    def client(self, service: str) -> Any:
        """A boto3 client that is the account's root."""
        retries = Config(retries={"mode": "standard", "max_attempts": 3})
        return self._session.client(service, endpoint_url=self.endpoint, config=retries)

    def role_environment(self, role: str) -> dict[str, str]:
        """The environment in which a process's AWS calls come here, as `role`: boto3 fetches that role's
        credentials.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.endpoint}/_localaws/credentials/{role}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/_localaws/health", timeout=5.0).is_success
        except httpx.TransportError:
            return False
