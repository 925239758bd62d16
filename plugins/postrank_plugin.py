"""What Postrank adds to Airflow: the leaderboard in the menu, the report on every run's page, checks of requests."""

from airflow.plugins_manager import AirflowPlugin

from postrank.documents import Document
from postrank_airflow.ui.leaderboard import URL_PREFIX, pages
from postrank_airflow.ui.sender_check import SenderCheck
from postrank_airflow.ui.trigger_check import TriggerCheck


class PostrankPlugin(AirflowPlugin):
    """The pages, served by the api-server, and the places in the UI that show them."""

    name = "postrank"
    fastapi_apps: list[Document] = [{"name": "postrank", "app": pages, "url_prefix": URL_PREFIX}]
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
