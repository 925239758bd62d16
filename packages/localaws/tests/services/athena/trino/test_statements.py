"""Statements on the Trino engine end as they did on a Trino 435, on which Athena's engine version 3 is based."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localaws.testing.athena.cases import Case, cases
from localaws.testing.athena.queries import Queries
from localaws.testing.patience import patient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(900))]

RECORDED = json.loads((Path(__file__).parent / "statements.json").read_text(encoding="utf-8"))
# Where Trino 476 answers otherwise than 435 did, and may.
UNORDERED = {
    "map_agg": "the entries of a map have no order",
    "histogram": "the entries of a map have no order",
    "map_concat": "the entries of a map have no order",
    "agg_order": "array_agg without ORDER BY has no order",
}
NEWER = {
    "table_fn": "the table function sequence came after 435",
    "cross_cast": "later versions trim text before they cast it to a number",
    "casts_of_text_to_numbers_take_digits_only": "later versions trim text before they cast it to a number",
}
_AT_ONCE = 3
Result = list[list[str | None]] | str  # rows, or why there are none


@dataclass(frozen=True)
class Results:
    """What became of each statement, by its text."""

    tasks: dict[str, Future[Result]]

    def of(self, sql: str) -> Result:
        return self.tasks[sql].result()


@pytest.fixture(scope="module")
def results(queries: Queries) -> Iterator[Results]:
    """All statements, several at once."""

    def run(sql: str) -> Result:
        try:
            execution = queries.run(sql)
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        if execution["Status"]["State"] != "SUCCEEDED":
            return str(execution["Status"]["StateChangeReason"])
        return queries.result(execution)[1]

    statements = [*(case["sql"] for case in RECORDED), *(case.sql for case in cases())]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield Results({sql: pool.submit(run, sql) for sql in statements})


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in RECORDED])
def test_a_recorded_statement_ends_as_on_trino(results: Results, case):
    if case["name"] in NEWER:
        pytest.skip(NEWER[case["name"]])
    result = results.of(case["sql"])
    if "error" in case:
        assert isinstance(result, str), f"runs, though Trino refuses it: {case['error']}"
    elif case["name"] in UNORDERED:
        assert [[_letters(cell) for cell in row] for row in result] == [
            [_letters(cell) for cell in row] for row in case["rows"]
        ]
    else:
        assert result == case["rows"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases() if case.oracle_skips is None])
def test_a_statement_gives_the_rows_that_athena_gives(results: Results, case: Case):
    if case.name in NEWER:
        pytest.skip(NEWER[case.name])
    assert results.of(case.sql) == case.rows


def _letters(cell: str | None) -> list[str]:
    """A cell without regard to order."""
    return sorted((cell or "").strip("{}[]").split(", "))
