"""boto3 clients, made in one place: time-outs, retries, and nothing about where AWS is (boto3's own chain knows)."""

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from postrank.errors import Fatal


class NoEndpoint(Fatal):
    """The environment names an endpoint that is no URL."""


@dataclass(slots=True)
class Clients:
    """Clients of one region. Credentials and endpoints (AWS_ENDPOINT_URL) come from boto3's own chain."""

    region: str
    _session: boto3.Session | None = field(default=None, repr=False)

    def get(self, service: str, *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0) -> Any:
        """A client for a service; `attempts` of 1 leaves every retry to the caller. Raises NoEndpoint."""
        if self._session is None:
            self._session = boto3.Session(region_name=self.region)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=3.0,
            read_timeout=read_seconds,
            max_pool_connections=connections,
            user_agent_extra="postrank",
        )
        try:
            return self._session.client(service, config=config)  # type: ignore[call-overload]
        except BotoCoreError:
            raise
        except ValueError as error:
            raise NoEndpoint(f"{error}: AWS_ENDPOINT_URL must be a URL such as http://127.0.0.1:4566") from error
