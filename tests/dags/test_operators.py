"""Statements on Athena: taken at once when they succeed at once, deferred as the stock operator does otherwise."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred

from postrank_airflow.operators import athena
from postrank_airflow.operators.athena import StatementOperator

CONTEXT = {
    "ti": SimpleNamespace(xcom_push=lambda **_: None),
    "dag_run": SimpleNamespace(dag_id="some_dag", run_id="manual__2026-11-24T01:00:00"),
}


def test_a_statement_that_succeeds_within_a_moment_is_not_deferred(aws):
    query = StatementOperator(task_id="statement", query="select 1").execute(CONTEXT)
    status = aws.client("athena").get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
    assert status["State"] == "SUCCEEDED"


def test_a_statement_that_takes_longer_is_deferred(aws, monkeypatch):
    monkeypatch.setattr(athena, "_MOMENT", -1.0)
    numbers = "unnest(sequence(1, 10000))"
    query = f"select sum(a * b % 7) from {numbers} one(a) cross join {numbers} two(b)"
    with pytest.raises(TaskDeferred) as deferral:
        StatementOperator(task_id="statement", query=query).execute(CONTEXT)
    assert deferral.value.method_name == "execute_complete"


def test_a_statement_that_fails_at_once_is_left_to_the_stock_way_of_failing(aws):
    with pytest.raises(TaskDeferred):
        StatementOperator(task_id="statement", query="select * from nowhere").execute(CONTEXT)
