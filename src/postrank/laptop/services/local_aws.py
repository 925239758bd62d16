"""The local AWS of a run: its process, and clients for it."""

import configparser
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from postrank.aws.clients import Client, MakeClient
from postrank.laptop.services.processes import Parts, Program
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import REPLAY
from postrank.laptop.setup.ports import HOST

SPEED = 60  # a delivery stream that buffers for 300 s delivers every 5 s
READY_SECONDS = 300.0  # it answers in 3 s; a dead one is noticed at once, so a busy machine may take its time
_ATTEMPTS = 12  # at a call: with the back-off between them longer than a restart of the local AWS takes


class LocalCloud:
    """Starts `localaws` among `parts`, and makes boto3 clients that reach it."""

    def __init__(self, parts: Parts, layout: Layout, port: int, region: str, athena: str = "duckdb") -> None:
        """`athena` is the engine of Athena, as `localaws serve` names it."""
        self._athena = athena
        self.endpoint = f"http://{HOST}:{port}"
        self._parts = parts
        self._layout = layout
        self._port = port
        self._region = region
        key, self._secret = root_key(layout.aws / "state" / "credentials")
        self.client: MakeClient = self._client
        self._session: Any = boto3.Session(
            aws_access_key_id=key, aws_secret_access_key=self._secret, region_name=region
        )

    def start(self, env: Mapping[str, str]) -> None:
        """Start the process; returns at once."""
        argv = [
            sys.executable, "-m", "localaws", "serve",
            "--port", str(self._port),
            "--state", str(self._layout.aws / "state"),
            "--call-log", str(self._layout.call_log),
            "--units", str(self._layout.units),
            "--speed", str(SPEED),
            "--athena", self._athena,
            "--enforce-iam",
        ]  # fmt: skip
        self._parts.start("localaws", Program(argv=argv, env=env, cwd=self._layout.root, server=True))

    def wait(self) -> None:
        """Return when it answers."""
        self._parts.wait_until("localaws", self._healthy, READY_SECONDS)

    def _client(self, service: str, /) -> Client:
        """A boto3 client that is the account's root."""
        config = Config(retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, proxies={})
        return self._session.client(service, endpoint_url=self.endpoint, config=config)

    def role_environment(self, role: str) -> dict[str, str]:
        """The environment in which a process's AWS calls come here, as `role`: boto3 fetches that role's credentials
        with a token that gives no others (the README of localaws says how it is derived).
        """
        token = hmac.new(self._secret.encode(), f"role/{role}".encode(), hashlib.sha256).hexdigest()
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.endpoint}/_localaws/credentials/{role}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": str(_ATTEMPTS),
        }

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/_localaws/health", timeout=5.0, trust_env=False).is_success
        except httpx.TransportError:
            return False


def stream_limits(kinds: Iterable[str]) -> dict[str, str]:
    """The environment in which the local Kinesis limits its shards as sources of these kinds need it: not at all for
    replays, which would wait for four shards at 1 MiB a second each; as AWS does for what comes as it is written.
    """
    return {"LOCALAWS_KINESIS_LIMITS": "off"} if set(kinds) == {REPLAY} else {}


def root_key(path: Path) -> tuple[str, str]:
    """Access key and secret of the local account's root, from its shared credentials file; made here for a new state
    folder, so that both sides know it before the local AWS runs.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = f"[default]\naws_access_key_id = localaws\naws_secret_access_key = {secrets.token_urlsafe(30)}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(path.read_text(encoding="utf-8"))
    profile = parser["default"]
    return profile["aws_access_key_id"], profile["aws_secret_access_key"]
