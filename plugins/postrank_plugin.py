"""What Postrank adds to Airflow: pages in the menu and on every run, links of tasks, notes of runs, request checks."""

from airflow.plugins_manager import AirflowPlugin

from postrank.documents import Document
from postrank_airflow.dag.addresses import EVIDENCE
from postrank_airflow.ui import evidence, note_listener
from postrank_airflow.ui.leaderboard import URL_PREFIX, pages
from postrank_airflow.ui.sender_check import SenderCheck
from postrank_airflow.ui.trigger_check import TriggerCheck


class PostrankPlugin(AirflowPlugin):
    """The pages, served by the api-server, and the places in the UI that show them."""

    name = "postrank"
    fastapi_apps: list[Document] = [
        {"name": "postrank evidence", "app": evidence.pages, "url_prefix": EVIDENCE},  # before what is above it
        {"name": "postrank", "app": pages, "url_prefix": URL_PREFIX},
    ]
    fastapi_root_middlewares: list[Document] = [
        {"name": "postrank triggers", "middleware": TriggerCheck},
        {"name": "postrank senders", "middleware": SenderCheck},  # the last one is the outermost
    ]
    external_views: list[Document] = [
        {
            "name": "Leaderboard",
            "href": f"{URL_PREFIX}/leaderboard",
            "destination": "nav",
            "url_route": "leaderboard",
            "nav_top_level": True,
        },
        {
            "name": "Report",
            "href": f"{URL_PREFIX}/report?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "report",
        },
    ]
    listeners = [note_listener]
