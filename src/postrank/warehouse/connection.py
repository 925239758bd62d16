"""Connecting to the warehouse: TLS that is verified, and passwords that are asked for at each connection.

A managed secret of RDS is rotated while the warehouse is in use ("Password management with Amazon RDS and AWS Secrets
Manager"): connections that are open stay open, and the next one reads the secret again. For some seconds the server and
the secret may differ.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo

from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_SECONDS = 10
READER = "postrank_reader"
_PATIENCE_SECONDS = 30.0  # for a rotation to reach both the secret and the server
_PAUSE_SECONDS = 1.0
_REJECTED = "password authentication failed"  # libpq reports no SQLSTATE for a connection that was not made


class WarehouseAway(Retryable):
    """The warehouse cannot be reached, or rejects the credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user and its password; the password is in no text of it."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.user})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the warehouse is. `root_certificate` is a file of authorities; without one TLS is off, for loopback."""

    host: str
    port: int
    database: str
    root_certificate: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"


Credentials = Callable[[], Login]


def fixed(login: Login) -> Credentials:
    """The same login at each connection."""
    return lambda: login


def managed_secret(secrets: "SecretsManagerClient", arn: str) -> Credentials:
    """The login that a secret holds now, as RDS writes it: `username` and `password`."""

    def read() -> Login:
        secret = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
        return Login(user=secret["username"], password=secret["password"])

    return read


def iam_token(rds: "RDSClient", server: Server, user: str) -> Credentials:
    """A token of the caller's IAM identity, which needs rds-db:connect for the user; it is valid for 15 minutes."""

    def sign() -> Login:
        token = rds.generate_db_auth_token(DBHostname=server.host, Port=server.port, DBUsername=user)
        return Login(user=user, password=token)

    return sign


def connect(server: Server, credentials: Credentials) -> "psycopg.Connection[psycopg.rows.TupleRow]":
    """A connection, outside a transaction. Rejected passwords are asked for again for a while. Raises WarehouseAway."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect(conninfo(server, credentials()), autocommit=True)
        except psycopg.OperationalError as error:
            if _REJECTED not in str(error) or time.monotonic() > deadline:
                raise WarehouseAway(f"the warehouse at {server} cannot be reached: {error}") from error
        time.sleep(_PAUSE_SECONDS)


def conninfo(server: Server, login: Login) -> str:
    """The connection string of libpq, with the password (PostgreSQL, "Parameter Key Words")."""
    certificate = server.root_certificate
    return make_conninfo(
        host=server.host,
        port=server.port,
        dbname=server.database,
        user=login.user,
        password=login.password,
        connect_timeout=CONNECT_SECONDS,
        application_name="postrank",
        sslmode="verify-full" if certificate else "disable",
        sslrootcert=str(certificate) if certificate else None,
    )


def reading(server: Server, login: Login) -> str:
    """The same for a session that acts as the reader, whoever logs in, and that can only read."""
    return make_conninfo(conninfo(server, login), options=f"-c role={READER} -c default_transaction_read_only=on")
