"""Pages about what tasks left on AWS, for the buttons of tasks: a statement of Athena, objects of S3.

They work wherever Airflow reaches its AWS, also where that has no console.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def pages(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """The ASGI application. It is made at the first request: every Airflow process loads the plugin, one serves it."""
    from postrank_airflow.ui.evidence.app import application

    await application()(scope, receive, send)
