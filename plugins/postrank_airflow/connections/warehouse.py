"""The warehouse, as the connection `postrank_warehouse` describes it.

Its extra may name `secret`, the ARN of a secret that RDS manages, or have `iam`, with which the login's IAM token takes
the place of a password. `root_certificate` is a file of authorities that TLS is verified with; only a server on
loopback goes without.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

import psycopg
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from postrank.documents import Document, JsonObject
from postrank.errors import Fatal
from postrank.warehouse.connection import (
    Credentials,
    Login,
    Server,
    WarehouseAway,
    connect,
    fixed,
    iam_token,
    managed_secret,
    reading,
)
from postrank.warehouse.live.board import board
from postrank.warehouse.loader import Loader
from postrank.warehouse.objects import Objects
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import POSTGRES, RESOURCES

CONNECTION = "postrank_warehouse"
_PORT = 5432


class ConnectionIncomplete(Fatal):
    """The connection to the warehouse lacks something."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"connection {CONNECTION}: {reason}")


class _Connection(Protocol):
    """Airflow's connection, as far as it is used here."""

    host: str | None
    port: int | None
    schema: str | None
    login: str | None
    password: str | None

    @property
    def extra_dejson(self) -> JsonObject: ...


def loader() -> Loader | None:
    """What loads the warehouse, and connects to it; None where there is no connection. Raises ConnectionIncomplete."""
    try:
        connection: _Connection = BaseHook.get_connection(CONNECTION)
    except AirflowNotFoundException:
        return None
    server = _server(connection)
    credentials = _credentials(connection, server)
    return Loader(
        connect=lambda: connect(server, credentials),
        statement=lambda name: (POSTGRES / f"{name}.sql").read_text(encoding="utf-8"),
        objects=Objects(clients.client("s3"), RESOURCES.buckets["results"]),
    )


def live_board(network: str) -> dict[str, list[Document]] | None:
    """Who wrote most in the newest 60 seconds; None where there is no connection.

    Raises ConnectionIncomplete, WarehouseAway.
    """
    try:
        connection: _Connection = BaseHook.get_connection(CONNECTION)
    except AirflowNotFoundException:
        return None
    server = _server(connection)
    login = _credentials(connection, server)()
    try:
        with psycopg.connect(reading(server, login), autocommit=True) as opened:
            return board(opened, network)
    except psycopg.OperationalError as error:
        raise WarehouseAway(f"the warehouse at {server} does not answer") from error


def _server(connection: _Connection) -> Server:
    if not connection.host:
        raise ConnectionIncomplete("it has no host")
    certificate = connection.extra_dejson.get("root_certificate")
    if not certificate and not _is_loopback(connection.host):
        raise ConnectionIncomplete("its extra needs root_certificate, a file of authorities, to verify the server with")
    return Server(
        host=connection.host,
        port=connection.port or _PORT,
        database=connection.schema or "postrank",
        root_certificate=Path(certificate) if certificate else None,
    )


def _credentials(connection: _Connection, server: Server) -> Credentials:
    extra = connection.extra_dejson
    if arn := extra.get("secret"):
        return managed_secret(clients.client("secretsmanager"), str(arn))
    if not connection.login:
        raise ConnectionIncomplete("it has no login, and its extra names no secret")
    if extra.get("iam"):
        return iam_token(clients.client("rds"), server, connection.login)
    if not connection.password:
        raise ConnectionIncomplete("it has no password, and its extra has neither secret nor iam")
    return fixed(Login(user=connection.login, password=connection.password))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
