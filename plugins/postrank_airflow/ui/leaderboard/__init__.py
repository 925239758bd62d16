"""The leaderboard, the runs and the reports as pages of the Airflow UI, for those who may see the runs."""

from typing import Any

URL_PREFIX = "/postrank"


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application. It is made at the first request: every Airflow process loads the plugin, one serves it."""
    from postrank_airflow.ui.leaderboard.airflow_app import application

    await application()(scope, receive, send)
