"""The site inside Airflow: its session decides who may read, its connection where the exports are."""

from functools import cache
from importlib.util import find_spec

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import FastAPI

from postrank.documents import Document
from postrank.ranking.export_reader import Results
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import INCLUDE, RESOURCES
from postrank_airflow.ui.leaderboard.site import DAG_ID, site


@cache
def application() -> FastAPI:
    """The application. Anyone who may read the runs of the ranking DAG may read what they exported."""
    return site(
        reader=_results,
        pages=INCLUDE / "pages",
        access=requires_access_dag("GET", DagAccessEntity.RUN, DAG_ID),
        login=lambda url: get_auth_manager().get_url_login(next_url=url),
        live=_live,
    )


def _live(network: str) -> dict[str, list[Document]] | None:
    """The board of the warehouse, imported when someone looks; None without its packages or a connection to it."""
    if find_spec("psycopg") is None:
        return None
    from postrank_airflow.connections.warehouse import live_board

    return live_board(network)


@cache
def _results() -> Results:
    return Results(clients.client("s3"), RESOURCES.buckets["results"])
