"""The run of a checkout: only one at a time, described in a file so that commands in other terminals find it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from postrank.errors import Fatal

_FILE = "run.json"


class AlreadyRunning(Fatal):
    """Another `postrank up` uses the folder."""

    def __init__(self, var: Path, run: "CurrentRun | None") -> None:
        first = f"process {run.pid}, since {run.started_at}, UI at {run.ui}" if run else "it is just starting"
        super().__init__(
            f"a run is up in {var} already ({first}): stop it with `postrank stop`, "
            "or start this one with another --var, --port and --aws-port"
        )
        self.run = run


class NotRunning(Fatal):
    """No `postrank up` uses the folder."""

    def __init__(self, var: Path) -> None:
        super().__init__(f"nothing is running in {var}: start a run with `make run`")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRun:
    """What a run says about itself."""

    ui: str
    aws: str
    source: str
    posts: tuple[str, ...]
    app: str = ""  # address of the app, once it is up
    warehouse: str = ""  # host, port and database
    pid: int = field(default_factory=os.getpid)
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def of(cls, var: Path) -> "CurrentRun":
        """The run that is up in `var`. Raises NotRunning."""
        run = _read(var / _FILE) if _is_locked(var / _FILE) else None
        if run is None:
            raise NotRunning(var)
        return run


@contextmanager
def only_run(var: Path) -> Iterator[Path]:
    """Hold the folder for this process; yields the file for `describe`. Raises AlreadyRunning.

    The lock ends with the process, however that ends.
    """
    var.mkdir(parents=True, exist_ok=True)
    path = var / _FILE
    with path.open("a+") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(var, _read(path)) from error
        file.truncate(0)
        try:
            yield path
        finally:
            file.truncate(0)


def describe(path: Path, run: CurrentRun) -> None:
    """Write down the run that holds the folder."""
    path.write_text(json.dumps(asdict(run), indent=2) + "\n", encoding="utf-8")


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _read(path: Path) -> CurrentRun | None:
    """The run in a file; None while it is not written completely."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return CurrentRun(**{**document, "posts": tuple(document["posts"])})
    except (ValueError, TypeError, KeyError):
        return None
