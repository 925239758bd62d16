"""Helpers that wire tasks together in a DAG file."""

from typing import Any


def value_of(output: object) -> Any:
    """A task's output where another task's function takes the value: Airflow passes the value when the run gets there.

    Any: a DAG file handles outputs that do not exist yet, and the functions are annotated with what they will be.
    """
    return output
