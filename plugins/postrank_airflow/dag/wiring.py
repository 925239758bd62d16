"""Helpers that wire tasks together in a DAG file."""

from collections.abc import Callable
from typing import Any, TypeVar

from airflow.sdk import BaseOperatorLink, TaskGroup, XComArg, task_group

T = TypeVar("T")
# What the UI shows of a mapped task in place of its number: the collector's name.
COLLECTOR_LABEL = "{{ ti.xcom_pull(task_ids='list_collectors', map_indexes=-1)[ti.map_index] }}"


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


def for_each_collector(collectors: object, group_id: str, tooltip: str, wire: Callable[[Any], object]) -> None:
    """A group of tasks that runs once for each of the `collectors`, which `list_collectors` returned. `wire` gets one.

    Tasks of one collector wait for, and fail because of, each other only.
    """
    labelled = {"map_index_template": COLLECTOR_LABEL}
    decorate = task_group(group_id=group_id, prefix_group_id=False, tooltip=tooltip, default_args=labelled)

    @decorate
    def of_collector(collector: Any) -> None:
        wire(collector)

    of_collector.expand(collector=value_of(collectors))


def linked(output: T, *links: BaseOperatorLink) -> T:
    """Give a task of `@task` buttons in the UI, which an operator of its own class declares by itself."""
    if isinstance(output, XComArg):
        for task, _ in output.iter_references():
            task.operator_extra_links = links
    return output
