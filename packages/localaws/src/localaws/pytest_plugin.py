"""Fixtures for pytest, loaded where `localaws` is installed: a server for the session, one for a test, its environment.

Options of the server come from `localaws_options` in pytest's configuration file (words of `localaws serve`).
"""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localaws.testing.server import LocalAws


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("localaws_options", "options of `localaws serve` for the fixtures, such as --enforce-iam", default="")


@pytest.fixture(scope="session")
def localaws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LocalAws]":
    """A server for all tests: `localaws.endpoint`, `localaws.client("s3")`, `localaws.root_environment`."""
    yield from _serving(request.config, tmp_path_factory)


@pytest.fixture
def localaws_fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LocalAws]":
    """A server of the test's own, with an empty state."""
    yield from _serving(request.config, tmp_path_factory)


@pytest.fixture
def localaws_environment(localaws: "LocalAws", monkeypatch: pytest.MonkeyPatch) -> "LocalAws":
    """The session's server, to which SDKs go by themselves: AWS_ENDPOINT_URL, a region and the root's keys are set."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in localaws.root_environment.items():
        monkeypatch.setenv(name, value)
    return localaws


def _serving(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LocalAws]":
    from localaws.testing.server import running_localaws  # here, so that other sessions do not load it

    options = shlex.split(config.getini("localaws_options"))
    with running_localaws(tmp_path_factory.mktemp("localaws"), options=options) as server:
        yield server
