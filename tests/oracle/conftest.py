"""One local AWS and one Trino for all that is held to the oracle."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from localaws.testing import trino
from localaws.testing.athena.cases import cases
from localaws.testing.server import running_localaws
from postrank.aws.resources import Resources
from tests.oracle.recorded import Recorded, RecordedLake, telling
from tests.oracle.scenario import play
from tests.support.lake.ranked_lake import Lake


@dataclass(frozen=True)
class Oracle:
    """What Trino says: of each case by its name, and of each recorded statement in their order."""

    cases: dict[str, object]
    recorded: list[tuple[Recorded, object]]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Iterator[list[Recorded]]:
    """Every statement of `include/sql`, as the local Athena answered it."""
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=100) as running:
        lake = RecordedLake(Lake(running.client, Resources.of("oracle", "123456789012")).create())
        play(lake)
        yield telling(lake.recorded)


@pytest.fixture(scope="session")
def oracle(recorded, tmp_path_factory) -> Oracle:
    asked = [case for case in cases() if case.oracle_skips is None]
    statements = [case.sql for case in asked] + [one.query for one in recorded]
    try:
        answers = trino.answers(statements)
    except trino.NoTrino as reason:
        pytest.skip(f"no Trino to ask: {reason}")
    names = [case.name for case in asked]
    return Oracle(
        cases=dict(zip(names, answers, strict=False)),
        recorded=list(zip(recorded, answers[len(names) :], strict=True)),
    )
