"""The ports of servers that are started at once, by one local AWS or by several."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from localaws.services.rds.database import Database, Wish
from localaws.services.rds.postgres import HOST, PostgresServer, free_port
from localaws.services.rds.versions import chosen, installed
from localaws.testing.databases import PASSWORD

pytestmark = pytest.mark.skipif(not installed(), reason="no package with Postgres is installed")


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[list[Database]]:
    databases = [Database(tmp_path / f"database-{number}") for number in range(4)]
    yield databases
    for database in databases:
        database.take_down()


def test_servers_that_are_made_at_once_for_one_port_all_start(databases: list[Database]) -> None:
    wish = Wish(version=chosen(None).version, user="keeper", password=PASSWORD, database="ranks", port=free_port(None))
    with ThreadPoolExecutor(len(databases)) as pool:
        ports = list(pool.map(lambda database: database.bring_up(wish), databases))
    assert len(set(ports)) == len(databases)
    assert wish.port in ports
    for port in ports:
        connection = psycopg.connect(host=HOST, port=port, user="keeper", password=PASSWORD, dbname="ranks")
        connection.close()


def test_a_port_that_was_taken_meanwhile_is_named(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, chosen(None))
    server.make()
    with closing(socket.create_server((HOST, 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(match=f"port {port} on {HOST} is taken"):
            server.start(port)
