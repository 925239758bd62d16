"""Where the warehouse is, from the environment: for programs that Airflow does not run.

POSTRANK_WAREHOUSE_HOST, _PORT (5432), _DATABASE (postrank), _ROOT_CERTIFICATE (a file of authorities; only a server on
loopback goes without), and one of: _SECRET, the ARN of a secret that RDS manages; _USER with _IAM=1, whose IAM token
is the password; _USER with the password in PGPASSWORD.
"""

from collections.abc import Mapping
from pathlib import Path

from postrank.aws.clients import MakeClient
from postrank.errors import Fatal
from postrank.outbound import is_local
from postrank.warehouse.connection import Credentials, Login, Server, fixed, iam_token, managed_secret

PREFIX = "POSTRANK_WAREHOUSE_"
_PORT = 5432


class WarehouseNotConfigured(Fatal):
    """The environment does not say where the warehouse is, or how to log in."""

    def __init__(self, variable: str, purpose: str) -> None:
        super().__init__(f"{variable} is not set: it is {purpose}")
        self.variable = variable


class PortUnusable(Fatal):
    """The port is no number."""

    def __init__(self, value: str) -> None:
        super().__init__(f"{PREFIX}PORT is {value!r}: a port is a number from 1 to 65535")


def server_of(environment: Mapping[str, str]) -> Server:
    """The server that the environment names. Raises WarehouseNotConfigured, PortUnusable."""
    host = environment.get(f"{PREFIX}HOST")
    if not host:
        raise WarehouseNotConfigured(f"{PREFIX}HOST", "the warehouse's host, such as 127.0.0.1")
    certificate = environment.get(f"{PREFIX}ROOT_CERTIFICATE")
    if not certificate and not is_local(host):
        raise WarehouseNotConfigured(f"{PREFIX}ROOT_CERTIFICATE", "the file of authorities that TLS is verified with")
    return Server(
        host=host,
        port=_port(environment.get(f"{PREFIX}PORT") or str(_PORT)),
        database=environment.get(f"{PREFIX}DATABASE") or "postrank",
        root_certificate=Path(certificate) if certificate else None,
    )


def credentials_of(environment: Mapping[str, str], server: Server, client: MakeClient) -> Credentials:
    """How to log in. Raises WarehouseNotConfigured."""
    if arn := environment.get(f"{PREFIX}SECRET"):
        return managed_secret(client("secretsmanager"), arn)
    user = environment.get(f"{PREFIX}USER")
    if not user:
        raise WarehouseNotConfigured(f"{PREFIX}USER", f"the database's user; or set {PREFIX}SECRET, a secret's ARN")
    if environment.get(f"{PREFIX}IAM") == "1":
        return iam_token(client("rds"), server, user)
    password = environment.get("PGPASSWORD")
    if not password:
        raise WarehouseNotConfigured("PGPASSWORD", f"the password of {user}; or set {PREFIX}IAM=1 for an IAM token")
    return fixed(Login(user=user, password=password))


def _port(value: str) -> int:
    if not (value.isdecimal() and 0 < int(value) < 65_536):
        raise PortUnusable(value)
    return int(value)
