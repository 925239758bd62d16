"""The rows that the statements are held to are those that a real Trino, of which Athena's engine is made, gives."""

import pytest

from localaws.testing.athena.cases import Case, cases
from localaws.testing.patience import patient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(700))]


@pytest.mark.parametrize("case", [pytest.param(one, id=one.name) for one in cases() if one.oracle_skips is None])
def test_trino_gives_the_same_rows(oracle, case: Case):
    assert oracle.cases[case.name] == case.rows
