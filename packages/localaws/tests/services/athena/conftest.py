"""One local AWS for the tests of Athena, and a way to run statements on it."""

from collections.abc import Iterator

import pytest

from localaws.testing.athena.queries import Queries
from localaws.testing.server import running_localaws


@pytest.fixture(scope="package")
def aws(tmp_path_factory) -> Iterator[object]:
    with running_localaws(tmp_path_factory.mktemp("localaws")) as running:
        yield running


@pytest.fixture(scope="package")
def queries(aws) -> Queries:
    """Statements run in a database of their own, with a bucket for data and one for results."""
    return Queries(aws.client).create()
