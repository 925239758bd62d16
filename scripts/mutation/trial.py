"""Trying mutants: a copy of the tree, in which one file at a time is another, and the tests that are to notice it.

A trial is a fork of this process, which has imported what is slow to import and of which no mutant is made.
"""

import importlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from areas import ROOT, Mutant

_PRELOADED = (
    "boto3",
    "botocore.client",
    "httpx",
    "msgspec",
    "orjson",
    "requests",
    "sqlglot",
    "pyarrow.parquet",
    "jinja2",
)
_SOURCES = ("src", "packages/localaws/src", "plugins")
_OPTIONS = ("-c", "pyproject.toml", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "--no-header")
_POLL_SECONDS = 0.05


class BrokenTests(Exception):
    """Tests fail without any mutant."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended: its exit status, None when it took too long, and its seconds."""

    status: int | None
    seconds: float

    @property
    def caught(self) -> bool:
        return self.status != 0


class Tree:
    """A copy of the files under version control, and new ones, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        self.scratch = folder.parent / f"{folder.name}.tmp"  # the tests' temporary folders: apart from other runs'
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in listing.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        for name in _PRELOADED:
            importlib.import_module(name)

    def baseline(self, tests: Sequence[str]) -> float:
        """The seconds that the tests take without a mutant. Raises BrokenTests."""
        outcome = self._run(tests, limit=None)
        if outcome.caught:
            raise BrokenTests(f"pytest {' '.join(tests)} fails without a mutant:\n{self._last_words()}")
        return outcome.seconds

    def outcome(self, mutant: Mutant, limit: float) -> Outcome:
        """What the tests make of a mutant; after `limit` seconds it counts as caught."""
        path = self.folder / mutant.path
        try:
            self._write(path, mutant.mutated)
            return self._run(mutant.tests, limit)
        finally:
            self._write(path, mutant.original)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        if path.suffix == ".py":  # a text of the same size in the same second would pass for the compiled one
            with suppress(FileNotFoundError):
                Path(importlib.util.cache_from_source(str(path))).unlink()

    def _run(self, tests: Sequence[str], limit: float | None) -> Outcome:
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            self._become_pytest(tests)
        try:
            status = _status(child, None if limit is None else started + limit)
        finally:
            with suppress(ProcessLookupError):  # with what its tests left
                os.killpg(child, signal.SIGKILL)
        return Outcome(status, time.monotonic() - started)

    def _become_pytest(self, tests: Sequence[str]) -> None:
        status = 3
        try:
            os.setsid()
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(self.folder)
            paths = [str(self.folder / source) for source in _SOURCES]
            os.environ["PYTHONPATH"] = os.pathsep.join(paths)
            sys.path[:] = [*paths, *sys.path[1:]]
            import pytest

            status = int(pytest.main([*_OPTIONS, f"--basetemp={self.scratch}", *tests]))
            sys.stdout.flush()
        finally:
            os._exit(status)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def _status(child: int, deadline: float | None) -> int | None:
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if deadline is not None and time.monotonic() > deadline:
            return None
        time.sleep(_POLL_SECONDS)
