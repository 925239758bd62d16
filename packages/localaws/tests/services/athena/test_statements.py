"""Statements without tables give the rows that Athena gives ("Functions in Amazon Athena", Trino's documentation)."""

import pytest

from localaws.testing.athena.cases import Case, cases


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases()])
def test_gives_the_rows_that_athena_gives(queries, case: Case):
    heading, rows = queries.result(queries.ok(case.sql))
    assert rows == case.rows
    assert case.columns is None or heading == case.columns
