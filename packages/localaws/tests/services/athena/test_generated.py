"""Statements made at random: the embedded engine answers them as a real Trino does, or rejects them.

LOCALAWS_STATEMENTS (how many) and LOCALAWS_SEED choose the statements.
"""

import os
from collections import Counter

import pytest

from localaws.testing.athena import trino
from localaws.testing.athena.comparison import Verdict, compare
from localaws.testing.athena.generator import statements
from localaws.testing.athena.recorded import answer
from localaws.testing.patience import patient

COUNT = int(os.environ.get("LOCALAWS_STATEMENTS", "400"))
SEED = int(os.environ.get("LOCALAWS_SEED", "1"))
MOST_REJECTED = 0.1


def test_one_seed_always_gives_the_same_statements():
    assert list(statements(7, 30)) == list(statements(7, 30))
    assert list(statements(7, 30)) != list(statements(8, 30))


def test_no_statement_fails_as_if_the_engine_were_broken(queries):
    outcomes = {sql: answer(queries, sql) for sql in statements(3, 40)}
    assert [sql for sql, outcome in outcomes.items() if str(outcome).startswith("GENERIC_INTERNAL_ERROR")] == []


@pytest.mark.slow
@pytest.mark.timeout(patient(3600))
def test_trino_gives_the_same_rows_for_every_generated_statement(queries):
    generated = list(statements(SEED, COUNT))
    try:
        expected = trino.answers(generated)
    except trino.NoTrino as reason:
        pytest.skip(f"no Trino to ask: {reason}")
    verdicts = Counter[Verdict]()
    differences = []
    for sql, rows in zip(generated, expected, strict=True):
        here = answer(queries, sql)
        verdict = compare(sql, rows, here)
        verdicts[verdict] += 1
        if verdict in (Verdict.WRONG, Verdict.LAX):
            differences.append(f"{verdict.value}: {sql}\n  Trino: {rows}\n  here:  {here}")
    assert not differences, "\n".join(differences)
    assert verdicts[Verdict.NOT_SUPPORTED] + verdicts[Verdict.ERROR] <= MOST_REJECTED * COUNT, verdicts
