"""Airflow's own role in its metadata database: its services never hold the master's password, which RDS rotates."""

import psycopg

from postrank.errors import Retryable
from postrank.warehouse.schema import set_password

ROLE = "airflow"
_CONNECT_SECONDS = 10


class MetadataAway(Retryable):
    """The metadata database cannot be reached, or rejects the credentials."""


def prepare(password: str) -> None:
    """Create the role unless it exists, let it create tables, and give it `password`.

    Connects as the master user, by libpq's own variables (PGHOST, PGUSER, PGPASSWORD, ...). Running it again sets the
    password again. Raises MetadataAway.
    """
    try:
        connection = psycopg.connect(autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="postrank")
    except psycopg.OperationalError as error:
        raise MetadataAway(f"Airflow's metadata database cannot be reached: {error}") from error
    with connection:
        if connection.execute("select from pg_roles where rolname = %s", (ROLE,)).fetchone() is None:
            connection.execute(f"create role {ROLE} login")
        set_password(connection, ROLE, password)
        connection.execute(f"grant usage, create on schema public to {ROLE}")
