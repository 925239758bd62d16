"""The embedded engine answers what Trino answered, or says that it does not support a statement."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from localaws.testing.athena.comparison import Verdict, compare
from localaws.testing.athena.queries import Queries
from localaws.testing.athena.recorded import AT_ONCE, Answers, Recorded, recorded

STATEMENTS = recorded()
MOST_REJECTED = 0.1
_FINE = (Verdict.SAME, Verdict.BOTH_REJECT, Verdict.NOT_SUPPORTED)


@pytest.fixture(scope="module")
def answers(queries: Queries) -> Iterator[Answers]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield Answers.of(queries, (statement.sql for statement in STATEMENTS), pool)


@pytest.mark.parametrize("statement", [pytest.param(item, id=item.name) for item in STATEMENTS])
def test_a_recorded_statement_is_answered_as_trino_does(answers: Answers, statement: Recorded):
    answer = answers.to(statement.sql)
    assert compare(statement.sql, statement.answer, answer) in _FINE, (statement.sql, statement.answer, answer)


def test_few_recorded_statements_are_not_supported(answers: Answers):
    verdicts = [compare(item.sql, item.answer, answers.to(item.sql)) for item in STATEMENTS]
    assert verdicts.count(Verdict.NOT_SUPPORTED) <= MOST_REJECTED * len(STATEMENTS)


def test_no_answer_tells_of_this_program(answers: Answers):
    texts = [answer for answer in (answers.to(item.sql) for item in STATEMENTS) if isinstance(answer, str)]
    assert [text for text in texts if "localaws/services" in text or "duckdb" in text.lower()] == []
