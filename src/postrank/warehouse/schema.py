"""The warehouse's schema: brought to the newest migration, or compared with it."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Engine, create_engine, pool

from postrank.errors import Fatal

OWNER = "postrank_owner"
_MIGRATIONS = Path(__file__).parent / "migrations"
_TURN = 7_235_001  # key of the advisory lock that migrations take turns with


class SchemaBehind(Fatal):
    """The warehouse lacks migrations that this version needs."""

    def __init__(self, existing: str | None, newest: str | None) -> None:
        super().__init__(f"the warehouse's schema is at {existing or 'nothing'}, not {newest}: run migrate_warehouse")
        self.existing = existing
        self.newest = newest


def migrate(connection: "psycopg.Connection[psycopg.rows.TupleRow]") -> str | None:
    """Apply the migrations that are missing, each in a transaction, one process at a time; returns the newest one.

    The connection's user must be allowed to create roles, as the master user is.
    """
    connection.execute("select pg_advisory_lock(%s)", (_TURN,))
    try:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(_MIGRATIONS))
        command.upgrade(config, "head")
    finally:
        connection.execute("select pg_advisory_unlock(%s)", (_TURN,))
    return newest()


def set_password(connection: "psycopg.Connection[psycopg.rows.TupleRow]", role: str, password: str) -> None:
    """Give a role a password. It is hashed here, so that no log of the server can show it."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier))
    connection.execute(statement)


def require_newest(connection: "psycopg.Connection[psycopg.rows.TupleRow]") -> None:
    """Raise SchemaBehind unless every migration has been applied."""
    existing = None
    with connection.cursor() as cursor:
        if cursor.execute("select to_regclass('alembic_version')").fetchone() != (None,):
            row = cursor.execute("select version_num from alembic_version").fetchone()
            existing = str(row[0]) if row else None
    if existing != newest():
        raise SchemaBehind(existing, newest())


def newest() -> str | None:
    """The identifier of the newest migration."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def engine_of(connection: "psycopg.Connection[psycopg.rows.TupleRow]") -> Engine:
    """SQLAlchemy over a connection that is open already, which stays open."""
    return create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=pool.StaticPool)
