"""One local AWS and one Trino for all that is held to the oracle."""

from collections.abc import Iterator

import pytest

from localaws.testing.athena import trino
from localaws.testing.server import running_localaws
from postrank.aws.resources import Resources
from tests.oracle.recorded import Recorded, RecordedLake, telling
from tests.oracle.scenario import play
from tests.support.lake.ranked_lake import Lake


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Iterator[list[Recorded]]:
    """Every statement of `include/sql`, as the local Athena answered it."""
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=100) as running:
        lake = RecordedLake(Lake(running.client, Resources.of("oracle", "123456789012")).create())
        play(lake)
        yield telling(lake.recorded)


@pytest.fixture(scope="session")
def oracle(recorded) -> list[tuple[Recorded, trino.Answer]]:
    """What Trino answers to each recorded statement, in their order."""
    try:
        answers = trino.answers([statement.query for statement in recorded])
    except trino.NoTrino as reason:
        pytest.skip(f"no Trino to ask: {reason}")
    return list(zip(recorded, answers, strict=True))
