"""How the tests are run: in several processes by module, in random order, and what judges all others when they ended.

`make test` runs pytest twice: the tests, then those that are marked `judges`. `make test-slow` does the same with those
that are marked `slow`.
"""

from collections.abc import Generator
from typing import Any

import pytest

from tests.support import permissions, scheduling

_reports: list[pytest.TestReport] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("postrank")
    group.addoption("--keep-evidence", action="store_true", help="Add to the calls that an earlier run gathered.")
    group.addoption("--note-seconds", action="store_true", help="Note how long modules take, to start long ones first.")


def pytest_sessionstart(session: pytest.Session) -> None:
    if _leads(session.config) and not session.config.option.keep_evidence:
        permissions.forget()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    written = {item: place for place, item in enumerate(items)}
    yield
    scheduling.arrange(items, written)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _reports.append(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not _leads(session.config):
        return
    permissions.note_ran((report.nodeid.split("::")[0], "slow" in report.keywords) for report in _reports)
    if session.config.option.note_seconds:
        scheduling.note(_reports)


def _leads(config: pytest.Config) -> bool:
    """Whether this process is no worker of pytest-xdist."""
    return not hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling

    class ByScope(LoadFileScheduling):  # type: ignore[misc]
        """A module, or all modules of a folder that shares something, for one process."""

        def _split_scope(self, nodeid: str) -> str:
            return scheduling.scope(nodeid)

    return ByScope(config, log) if config.option.dist == "loadfile" else None
