"""The rows that the statements are held to are those that a real Trino, of which Athena's engine is made, gives."""

import pytest

from tests.local.athena.cases import Case, cases
from tests.support import trino

_CASES = [case for case in cases() if case.oracle_skips is None]


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, object]:
    try:
        found = trino.answers([case.sql for case in _CASES], tmp_path_factory.mktemp("trino"))
    except trino.NoTrino as reason:
        pytest.skip(f"no Trino to ask: {reason}")
    return dict(zip((case.name for case in _CASES), found, strict=True))


@pytest.mark.timeout(320)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in _CASES])
def test_trino_gives_the_same_rows(answers, case: Case):
    assert answers[case.name] == case.rows
