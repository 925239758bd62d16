"""The live board: who wrote most in the newest 60 seconds of each network, as the app and Airflow's page show it."""

from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row

from postrank.documents import Document
from postrank.warehouse.connection import WarehouseAway

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

BOARD = "live_board"
NETWORKS = "live_networks"
TOP = 40  # a step of the stream emits as many authors


def statement(name: str) -> str:
    """The text of BOARD or NETWORKS."""
    return files("postrank.warehouse.live").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def board(connection: "psycopg.Connection[TupleRow]", network: str = "") -> dict[str, list[Document]]:
    """`networks`, each with its newest window, and `rows` of all networks or of one. Raises WarehouseAway."""
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            networks = cursor.execute(statement(NETWORKS).encode()).fetchall()
            rows = cursor.execute(statement(BOARD).encode(), {"network": network, "top": TOP}).fetchall()
    except psycopg.OperationalError as error:
        raise WarehouseAway(f"the live board cannot be read: {error}") from error
    return {"networks": networks, "rows": rows}
