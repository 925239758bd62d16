"""Helpers that wire tasks together in a DAG file."""

from typing import Any, TypeVar

from airflow.sdk import BaseOperatorLink, TaskGroup, XComArg

T = TypeVar("T")


def value_of(output: object) -> Any:
    """A task's output where another task's function takes the value: Airflow passes the value when the run gets there.

    Any: a DAG file handles outputs that do not exist yet, and the functions are annotated with what they will be.
    """
    return output


def group(group_id: str, tooltip: str) -> TaskGroup:
    """A step of a DAG that the graph shows as one box until it is opened. Task ids have no prefix: logs, alerts, the
    runbook and `airflow tasks` name tasks, and a task keeps its name when it moves to another group.
    """
    return TaskGroup(group_id, tooltip=tooltip, prefix_group_id=False)


def linked(output: T, *links: BaseOperatorLink) -> T:
    """Give a task of `@task` buttons in the UI, which an operator of its own class declares by itself."""
    if isinstance(output, XComArg):
        for task, _ in output.iter_references():
            task.operator_extra_links = links
    return output
