"""When a run that is not done yet is worth a word: counted from when it was queued, so a standing scheduler counts.

A task's own limit ends the task; a deadline ends nothing and tells humans.
"""

from datetime import timedelta

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from asgiref.sync import sync_to_async

from postrank.documents import Document
from postrank_airflow.connections.alerts import tell


async def late(*, limit: str, context: Document) -> None:
    """Tell that a run is late. Airflow's triggerer calls it with what it knows of the run."""
    run = context.get("dag_run") or {}
    words = f"run {run.get('dag_run_id')} of {run.get('dag_id')} is not finished {limit} after it was queued"
    await sync_to_async(tell)(f"Postrank: {run.get('dag_id')} is late", words)


def within(limit: timedelta) -> DeadlineAlert:
    """The deadline of a run that should be done `limit` after it was queued."""
    callback = AsyncCallback(late, kwargs={"limit": str(limit)})
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=limit, callback=callback)
