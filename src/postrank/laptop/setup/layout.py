"""Where a run on a laptop keeps its files: everything below one folder that may be deleted at any time."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from postrank.aws.resources import MAIN
from postrank.errors import Fatal


class NotAProject(Fatal):
    """The folder is not a checkout of the project."""

    def __init__(self, root: Path) -> None:
        super().__init__(f"{root} has no dags/ and include/sql/: run this in a checkout, or name one with --project")
        self.root = root


class NotPrivate(Fatal):
    """The folder belongs to another user."""

    def __init__(self, var: Path) -> None:
        super().__init__(f"{var} belongs to another user and cannot be closed to them: name your own with --var")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one run. `root` is the checkout, which is only read; all that is written lies below `var`."""

    root: Path
    var: Path

    @classmethod
    def of(cls, root: Path, var: Path | None = None) -> "Layout":
        """The layout of a checkout, with `var` in it unless it is elsewhere; raises NotAProject for any other
        folder.
        """
        root = root.resolve()
        if not ((root / "dags").is_dir() and (root / "include" / "sql").is_dir()):
            raise NotAProject(root)
        return cls(root, (var or root / "var").resolve())

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def results(self) -> Path:
        return self.var / "results"

    @property
    def aws(self) -> Path:
        """The local AWS: its state, its call log, the descriptions of what instances run."""
        return self.var / "aws"

    @property
    def call_log(self) -> Path:
        return self.aws / "calls.ndjson"

    @property
    def units(self) -> Path:
        return self.aws / "units"

    @property
    def airflow(self) -> Path:
        return self.var / "airflow"

    @property
    def passwords(self) -> Path:
        """The password of Airflow's administrator."""
        return self.airflow / "passwords.json"

    @property
    def streamer(self) -> Path:
        """The streamer's configuration, cursor and spool."""
        return self.var / "streamer"

    def collector(self, name: str) -> Path:
        """A collector's configuration, cursor and spool."""
        return self.streamer if name == MAIN else self.streamer / "collectors" / name

    @property
    def cache(self) -> Path:
        """What is the same for every run, kept between them."""
        return self.var / "cache"

    def start_afresh(self) -> None:
        """Forget what earlier runs left, but for `cache`."""
        for folder in (self.logs, self.results, self.aws, self.airflow, self.streamer):
            shutil.rmtree(folder, ignore_errors=True)
        (self.var / "rejects.ndjson").unlink(missing_ok=True)

    def create(self) -> None:
        """Make the folders, closed to other users of the machine."""
        self.var.mkdir(parents=True, exist_ok=True)
        try:
            self.var.chmod(0o700)
        except PermissionError as error:
            raise NotPrivate(self.var) from error
        for folder in (self.logs, self.results, self.aws, self.units, self.airflow, self.streamer, self.cache):
            folder.mkdir(parents=True, exist_ok=True)
