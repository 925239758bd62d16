"""Executions are kept as documents: those of earlier versions are read, and what is written is read again."""

import json

from localaws.services.athena.execution.execution import Execution

# As version 0.1.0 wrote a query that a restart found running.
OF_0_1_0 = {
    "id": "0c2f",
    "sql": "select 1",
    "parameters": [],
    "database": None,
    "catalog": None,
    "workgroup": "primary",
    "kind": "DML",
    "substatement": "SELECT",
    "folder": "s3://results/",
    "output": "s3://results/0c2f.csv",
    "state": "RUNNING",
    "submitted": 1764500000.25,
    "scanned": 0,
    "reuse": None,
    "started": 1764500001.5,
}


def test_an_execution_of_version_0_1_0_is_read():
    execution = Execution.of(OF_0_1_0)
    assert execution.is_open
    assert (execution.started, execution.ended, execution.reused) == (1764500001.5, None, False)


def test_an_execution_is_read_as_it_was_kept():
    execution = Execution.of(OF_0_1_0)
    execution.end("FAILED", 1764500002.0, "no such table")
    execution.error = {"ErrorCategory": 2}
    assert Execution.of(json.loads(json.dumps(execution.document()))) == execution


def test_what_a_later_version_added_is_passed_over():
    assert Execution.of({**OF_0_1_0, "stages": []}) == Execution.of(OF_0_1_0)
