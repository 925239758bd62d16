"""boto3 clients, made in one place: time-outs, retries, and nothing about where AWS is (boto3's own chain knows)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from postrank.errors import Fatal
from postrank.outbound import aws_authorities, is_local

if TYPE_CHECKING:  # the stubs are a tool of development: nothing installs them beside the product
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

Client = Any  # of a service without stubs, or of one whose name is only known when the program runs


class MakeClient(Protocol):
    """Makes a client for a service: `Clients.get`, or the Airflow connection, or the local AWS."""

    @overload
    def __call__(self, service: Literal["athena"], /) -> "AthenaClient": ...
    @overload
    def __call__(self, service: Literal["cloudwatch"], /) -> "CloudWatchClient": ...
    @overload
    def __call__(self, service: Literal["ec2"], /) -> "EC2Client": ...
    @overload
    def __call__(self, service: Literal["firehose"], /) -> "FirehoseClient": ...
    @overload
    def __call__(self, service: Literal["glue"], /) -> "GlueClient": ...
    @overload
    def __call__(self, service: Literal["kinesis"], /) -> "KinesisClient": ...
    @overload
    def __call__(self, service: Literal["s3"], /) -> "S3Client": ...
    @overload
    def __call__(self, service: Literal["secretsmanager"], /) -> "SecretsManagerClient": ...
    @overload
    def __call__(self, service: Literal["ssm"], /) -> "SSMClient": ...
    @overload
    def __call__(self, service: Literal["sts"], /) -> "STSClient": ...
    @overload
    def __call__(self, service: str, /) -> Client: ...


class NoEndpoint(Fatal):
    """The environment names an endpoint that is no URL."""


@dataclass(slots=True)
class Clients:
    """Clients of one region. Credentials and endpoints (AWS_ENDPOINT_URL) come from boto3's own chain."""

    region: str
    _session: boto3.Session | None = field(default=None, repr=False)

    @overload
    def get(
        self, service: Literal["athena"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "AthenaClient": ...
    @overload
    def get(
        self, service: Literal["cloudwatch"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "CloudWatchClient": ...
    @overload
    def get(
        self, service: Literal["ec2"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "EC2Client": ...
    @overload
    def get(
        self, service: Literal["firehose"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "FirehoseClient": ...
    @overload
    def get(
        self, service: Literal["glue"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "GlueClient": ...
    @overload
    def get(
        self, service: Literal["kinesis"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "KinesisClient": ...
    @overload
    def get(
        self, service: Literal["s3"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "S3Client": ...
    @overload
    def get(
        self,
        service: Literal["secretsmanager"],
        *,
        attempts: int = 3,
        connections: int = 10,
        read_seconds: float = 30.0,
    ) -> "SecretsManagerClient": ...
    @overload
    def get(
        self, service: Literal["ssm"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "SSMClient": ...
    @overload
    def get(
        self, service: Literal["sts"], *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0
    ) -> "STSClient": ...
    @overload
    def get(self, service: str, *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0) -> Client: ...
    def get(self, service: str, *, attempts: int = 3, connections: int = 10, read_seconds: float = 30.0) -> Client:
        """A client for a service; `attempts` of 1 leaves every retry to the caller. Raises NoEndpoint, Unusable."""
        if self._session is None:
            self._session = boto3.Session(region_name=self.region)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=3.0,
            read_timeout=read_seconds,
            max_pool_connections=connections,
            user_agent_extra="postrank",
        )
        verify = aws_authorities()
        try:
            make: Any = self._session.client  # its stubs know a service by a literal only
            client = make(service, config=config, verify=verify)
            host = urlsplit(client.meta.endpoint_url).hostname or ""  # which botocore knows only by now
            if getproxies_environment() and is_local(host):
                client = make(service, config=config.merge(Config(proxies={})), verify=verify)
            return client
        except BotoCoreError:
            raise
        except ValueError as error:
            raise NoEndpoint(f"{error}: AWS_ENDPOINT_URL must be a URL such as http://127.0.0.1:4566") from error
