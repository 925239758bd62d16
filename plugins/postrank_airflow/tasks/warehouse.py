"""The tasks of `load_warehouse`: load what events name, bring the schema up to date, load what is missing.

What they load with is imported when they run: to parse the DAG takes none of it.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.documents import Document
from postrank_airflow.connections.environment import WAREHOUSE_QUEUE
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.dag.run_note import add_to_note, counted, reason_in_note

if TYPE_CHECKING:
    from postrank.warehouse.loader import Loader

log = logging.getLogger(__name__)
_NO_EVENTS = "no event named an object: the sweep loads what is missing"
_BY_EVENTS = "events name what this run loads: the hourly run applies migrations"
_LOOKBACK = timedelta(days=2)  # of a sweep; `rebuild` has none


@task
@reason_in_note
def load_notified() -> Document:
    """Load the objects that events of the results bucket name. Skipped in runs without events."""
    from postrank.warehouse.events import created_keys

    messages = run_context().messages
    if not messages:
        raise AirflowSkipException(_NO_EVENTS)
    keys, broken = created_keys(messages)
    loads = _loader().load(keys)
    add_to_note(f"events: {loads}" + (f", {counted(broken, 'message')} unreadable" if broken else ""))
    return {"objects": keys, "rows": sum(loads.rows.values()), "missing": loads.missing, "broken": broken}


@task
def migrate_warehouse() -> str:
    """Apply the migrations that the warehouse lacks. Returns the newest one's identifier. Skipped in runs by events."""
    from postrank.warehouse.schema import migrate

    if run_context().messages:
        raise AirflowSkipException(_BY_EVENTS)
    with _loader().connect() as connection:
        return f"the schema is at {migrate(connection)}"


@task
def load_missed() -> Document:
    """Load the exports and trends of the last two days, or of all time, whose content the warehouse does not have."""
    context = run_context()
    loader = _loader()
    since = None if context.params["rebuild"] else context.start_date - _LOOKBACK
    missed = loader.missed(since)
    loads = loader.load(missed)
    if WAREHOUSE_QUEUE and missed:
        add_to_note(f"sweep: {counted(len(missed), 'object')} that no event had loaded; {loads}")
    log.info("%s", loads)
    return {"objects": missed, "rows": sum(loads.rows.values()), "missing": loads.missing}


def _loader() -> "Loader":
    from postrank_airflow.connections import warehouse

    loader = warehouse.loader()
    if loader is None:
        raise AirflowSkipException(f"there is no warehouse: no connection {warehouse.CONNECTION}")
    return loader
