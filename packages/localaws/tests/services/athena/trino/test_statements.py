"""Statements on the Trino engine end as they did on the Trino that answered them first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from localaws.testing.athena.cases import Case, cases
from localaws.testing.athena.comparison import Verdict, compare
from localaws.testing.athena.queries import Queries
from localaws.testing.athena.recorded import AT_ONCE, Answers, Recorded, recorded
from localaws.testing.patience import patient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(900))]

# Where Trino 476 answers otherwise than 435 did, and may.
DIFFERENT = {
    "agg_order": "array_agg without ORDER BY has no order",
    "table_fn": "the table function sequence came after 435",
    "cross_cast": "later versions trim text before they cast it to a number",
    "doubles_near_a_power_of_ten": "newer Javas compute another last digit of a cube root",
    "casts_of_text_to_numbers_take_digits_only": "later versions trim text before they cast it to a number",
}


@pytest.fixture(scope="module")
def answers(queries: Queries) -> Iterator[Answers]:
    statements = [*(item.sql for item in recorded()), *(case.sql for case in cases())]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield Answers.of(queries, statements, pool)


@pytest.mark.parametrize("statement", [pytest.param(item, id=item.name) for item in recorded()])
def test_a_recorded_statement_ends_as_on_trino(answers: Answers, statement: Recorded):
    if statement.name in DIFFERENT:
        pytest.skip(DIFFERENT[statement.name])
    answer = answers.to(statement.sql)
    assert compare(statement.sql, statement.answer, answer) in (Verdict.SAME, Verdict.BOTH_REJECT), answer


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases() if case.oracle_skips is None])
def test_a_statement_gives_the_rows_that_athena_gives(answers: Answers, case: Case):
    if case.name in DIFFERENT:
        pytest.skip(DIFFERENT[case.name])
    assert compare(case.sql, case.rows, answers.to(case.sql)) is Verdict.SAME
