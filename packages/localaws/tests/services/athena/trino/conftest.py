"""One local AWS whose Athena runs on Trino, for all tests of that engine: it takes half a minute to start."""

from collections.abc import Iterator

import pytest

from localaws.services.athena.execution.trino.artifacts import CannotInstall
from localaws.services.athena.execution.trino.installation import install
from localaws.testing.athena.queries import Queries
from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws


@pytest.fixture(scope="session")
def installed() -> None:
    """Skip where there is no Java or no way to Trino's jars."""
    try:
        install()
    except CannotInstall as reason:
        pytest.skip(f"no Trino: {reason}")


@pytest.fixture(scope="session")
def trino(installed, tmp_path_factory) -> Iterator[LocalAws]:
    folder = tmp_path_factory.mktemp("trino")
    with running_localaws(folder, enforce_iam=True, options=["--athena", "trino"]) as running:
        yield running


@pytest.fixture(scope="session")
def queries(trino) -> Queries:
    """Statements as the account's root; the first waits for Trino."""
    return Queries(trino.client, patience=patient(300)).create()
