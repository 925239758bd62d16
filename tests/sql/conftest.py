"""One local AWS for all SQL tests, a lake of its own for each."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from localaws.testing.server import LocalAws, running_localaws
from postrank.aws.resources import Resources
from tests.support.lake.ranked_lake import Lake

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def aws(tmp_path_factory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=100) as running:
        yield running


@pytest.fixture
def new_lake(aws) -> Callable[[], Lake]:
    """Makes an empty lake with names of its own."""
    return lambda: Lake(aws.client, Resources.of(f"t{next(_numbers)}", "123456789012")).create()


@pytest.fixture
def lake(new_lake) -> Lake:
    return new_lake()
