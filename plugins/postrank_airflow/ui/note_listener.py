"""Airflow's listener that writes what a run did into the run's note, from the sentences that its tasks added, and the
version that ran.

Airflow calls it in the process that ends a run, with the run as a row of that process's own database session: the
scheduler or, where a person marks a run, the api-server ("Listeners"). What it sets is committed with the state.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

AUTHOR = "postrank"  # as whom notes are written; those of people are never changed
_LONGEST = 1000  # characters (the column dag_run_note.content)


@hookimpl
def on_dag_run_success(dag_run: "DagRun", msg: str) -> None:  # noqa: ARG001 (the names are Airflow's)
    _write(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: "DagRun", msg: str) -> None:  # noqa: ARG001
    _write(dag_run)


def _write(dag_run: "DagRun") -> None:
    # Every process of Airflow loads the plugin; few end runs.
    from airflow.models.dagrun import DagRunNote
    from sqlalchemy.orm import object_session

    from postrank_airflow.dag.run_note import TAG

    session = object_session(dag_run)
    if session is None or dag_run.dag is None or TAG not in dag_run.dag.tags:
        return
    content = _content(dag_run, session)
    note = dag_run.dag_run_note
    if note is None:
        new_note: Callable[[str, str], DagRunNote] = DagRunNote  # whose constructor has no types
        dag_run.dag_run_note = new_note(content, AUTHOR)
    elif note.user_id == AUTHOR:
        note.content = content


def _content(dag_run: "DagRun", session: "Session") -> str:
    """The tasks that failed, then what tasks said, in the order in which they said it; the version last."""
    from postrank.deploy.code_version import running_version
    from postrank_airflow.connections.environment import INCLUDE

    failed = _failed(dag_run, session)
    outcome = [f"Failed in {', '.join(failed)}"] if failed else []
    text = "; ".join(dict.fromkeys([*outcome, *_sentences(dag_run, session)]))
    version = f"version {running_version(INCLUDE)}"
    room = _LONGEST - len(version) - len("; ")
    shown = text if len(text) <= room else f"{text[: room - 1]}…"
    return f"{shown}; {version}" if shown else version


def _failed(dag_run: "DagRun", session: "Session") -> list[str]:
    from airflow.utils.state import TaskInstanceState

    instances = dag_run.get_task_instances(state=[TaskInstanceState.FAILED], session=session)
    return sorted({instance.task_id for instance in instances})


def _sentences(dag_run: "DagRun", session: "Session") -> list[str]:
    from airflow.models.xcom import XComModel

    from postrank_airflow.dag.run_note import KEY

    query = XComModel.get_many(key=KEY, run_id=dag_run.run_id, dag_ids=dag_run.dag_id)
    rows = session.execute(query.with_only_columns(XComModel.value).order_by(None).order_by(XComModel.timestamp))
    return [_text(value) for (value,) in rows]


def _text(value: object) -> str:
    """A sentence as it was pushed; the column holds JSON, in some versions of Airflow as a text."""
    try:
        return str(json.loads(str(value)))
    except ValueError:
        return str(value)
