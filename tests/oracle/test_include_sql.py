"""A real Trino answers every statement of `include/sql` as the local Athena does, on the same rows."""

import pytest

from localaws.testing.patience import patient
from tests.oracle.recorded import SQL

SPARK = "stream"  # the folder of Spark's queries
FILES = sorted(path.relative_to(SQL).as_posix() for path in SQL.rglob("*.sql") if path.parent.name != SPARK)
CHECKS_THAT_FIND_NOTHING = {
    f"checks/{name}.sql"
    for name in ("author_minutes", "author_ranking", "compacted", "hashtag_ranking", "post_versions", "scoped_minutes")
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(700))]


@pytest.mark.parametrize("path", FILES)
def test_trino_gives_the_same_rows(oracle, path):
    asked = [(one, answer) for one, answer in oracle if one.path == path]
    assert asked, f"tests/oracle/scenario.py runs no statement of {path}"
    for one, answer in asked:
        assert not isinstance(answer, str), answer
        assert answer == one.rows if one.is_ordered else sorted(answer, key=str) == sorted(one.rows, key=str)


@pytest.mark.parametrize("path", [path for path in FILES if path not in CHECKS_THAT_FIND_NOTHING])
def test_the_scenario_gives_every_statement_rows(recorded, path):
    asked = [one for one in recorded if one.path == path]
    assert any(one.rows for one in asked), f"tests/oracle/scenario.py gives {path} no rows, or does not run it"
