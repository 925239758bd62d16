"""The tasks of `load_warehouse`: bring the schema up to date, load what is missing.

What they load with is imported when they run: to parse the DAG takes none of it.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.documents import Document
from postrank_airflow.connections.run_context import run_context

if TYPE_CHECKING:
    from postrank.warehouse.loader import Loader

log = logging.getLogger(__name__)
_LOOKBACK = timedelta(days=2)  # of a sweep; `rebuild` has none


@task
def migrate_warehouse() -> str:
    """Apply the migrations that the warehouse lacks. Returns the newest one's identifier."""
    from postrank.warehouse.schema import migrate

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
    log.info("%s", loads)
    return {"objects": missed, "rows": sum(loads.rows.values()), "missing": loads.missing}


def _loader() -> "Loader":
    from postrank_airflow.connections import warehouse

    loader = warehouse.loader()
    if loader is None:
        raise AirflowSkipException(f"there is no warehouse: no connection {warehouse.CONNECTION}")
    return loader
