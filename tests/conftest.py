"""How the tests are run: in several processes by file, and what judges all others after they have ended.

`make test` runs pytest twice: the tests, then those that are marked `judges`.
"""

from typing import Any

import pytest

from tests.support import permissions

_JUDGES = "judges"
# The modules of these folders share an Airflow or a Trino that is slow to start: one process runs them all.
_SHARING = ("tests/dags/", "tests/oracle/")
_ran: set[str] = set()


def pytest_sessionstart(session: pytest.Session) -> None:
    if (
        _leads(session.config)
        and session.config.option.markexpr != _JUDGES
        and not getattr(session.config.option, "lf", False)
    ):
        permissions.forget()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _ran.add(report.nodeid.split("::")[0])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _leads(session.config):
        permissions.note_ran(_ran)


def _leads(config: pytest.Config) -> bool:
    """Whether this process is no worker of pytest-xdist."""
    return not hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):  # type: ignore[misc]
        """A file, or all files of a folder that shares something, for one process."""

        def _split_scope(self, nodeid: str) -> str:
            shared = next((folder for folder in _SHARING if nodeid.startswith(folder)), None)
            return shared or super()._split_scope(nodeid)

    return ByFile(config, log) if config.option.dist == "loadfile" else None
