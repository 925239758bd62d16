"""Queries on the warehouse: a pool of connections that can only read, and results that are kept for some seconds."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
import psycopg
import streamlit as st
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from postrank.aws.clients import Clients
from postrank.warehouse.connection import READER, WarehouseAway, reading
from postrank.warehouse.live import board
from postrank.warehouse.login import credentials_of, server_of
from postrank.warehouse.schema import SchemaBehind, newest, require_newest

Value = str | int
SQL = Path(__file__).parent / "sql"
_CONNECTIONS = 4
_WAIT_SECONDS = 10.0
_STATEMENT_MS = 20_000
_KEPT_SECONDS = 30
_LIVE_SECONDS = 2


@st.cache_resource(show_spinner=False)
def _pool() -> ConnectionPool[psycopg.Connection[TupleRow]]:
    """The connections of all visitors. Each new one asks for the login, so that a rotated secret is followed."""
    server = server_of(os.environ)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    credentials = credentials_of(os.environ, server, Clients(region).get)
    _check(reading(server, credentials()))
    return ConnectionPool(
        lambda: reading(server, credentials()),
        min_size=0,
        max_size=_CONNECTIONS,
        timeout=_WAIT_SECONDS,
        check=ConnectionPool.check_connection,
        configure=_configure,
        open=True,
    )


def _check(conninfo: str) -> None:
    """Raise SchemaBehind for a warehouse without every migration, WarehouseAway for one that cannot be reached."""
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            require_newest(connection)
    except psycopg.OperationalError as error:
        if f'role "{READER}" does not exist' in str(error):  # the first migration makes it
            raise SchemaBehind(None, newest()) from error
        raise WarehouseAway("the warehouse does not answer") from error


def _configure(connection: psycopg.Connection[TupleRow]) -> None:
    connection.autocommit = True
    connection.execute(f"set statement_timeout = {_STATEMENT_MS}; set time zone 'UTC'")


@cache
def statement(name: str) -> str:
    """The text of a file of `sql`, or of the board that Airflow's page shows too."""
    if name in (board.BOARD, board.NETWORKS):
        return board.statement(name)
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _read(name: str, values: Mapping[str, Value]) -> pd.DataFrame:
    try:
        with _pool().connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement(name).encode(), {key: _storable(value) for key, value in values.items()})
            columns = [column.name for column in cursor.description or ()]
            return pd.DataFrame(cursor.fetchall(), columns=columns)
    except psycopg.OperationalError as error:
        raise WarehouseAway("the warehouse does not answer") from error


def _storable(value: Value) -> Value:
    """A value from an address as Postgres takes it: no text of it has U+0000."""
    return value.replace("\0", "") if isinstance(value, str) else value


@st.cache_data(ttl=_KEPT_SECONDS, max_entries=500, show_spinner=False)
def rows(name: str, **values: Value) -> pd.DataFrame:
    """The rows of a query; half a minute old at most. Raises WarehouseAway, SchemaBehind."""
    return _read(name, values)


@st.cache_data(ttl=_LIVE_SECONDS, max_entries=20, show_spinner=False)
def live_rows(name: str, **values: Value) -> pd.DataFrame:
    """The rows of a query that changes by the second."""
    return _read(name, values)
