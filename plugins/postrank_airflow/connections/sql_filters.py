"""The Jinja filters of `include/sql`, for operators and for the few statements that a task of ours runs."""

from typing import Any

import jinja2
from airflow.sdk.types import RuntimeTaskInstanceProtocol

from postrank.ranking.sql_literals import FILTERS
from postrank_airflow.connections.environment import SQL


def attempt_prefix(instance: RuntimeTaskInstanceProtocol, location: str) -> str:
    """The prefix with a folder for this attempt, so that what a killed attempt still writes is never read.

    Airflow gives each attempt an id of its own. The number alone would name the folder of an earlier run again where a
    run was deleted and another one got its name, and readers may still be pointed at that folder.
    """
    return f"{location}attempt={instance.try_number}-{str(instance.id)[-12:]}/"


@jinja2.pass_context
def attempt(context: jinja2.runtime.Context, location: str) -> str:
    """`attempt_prefix` as a filter."""
    return attempt_prefix(context["ti"], location)


SQL_FILTERS = {**FILTERS, "attempt": attempt}


def render(path: str, **params: Any) -> str:
    """A statement of `include/sql` with its parameters as literals. Raises UndefinedError when one is missing."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SQL),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 (SQL, quoted by filters)
    )
    environment.filters.update(FILTERS)
    return environment.get_template(path).render(params=params)
