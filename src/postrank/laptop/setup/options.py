"""What a run was asked for, checked before anything is started."""

import glob
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from postrank.errors import Fatal
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.ports import claim

REPLAY = "replay"
NEEDED_BYTES = 1 << 30  # what a run of the sample takes, several times over
LEFT_BYTES = 64 << 20  # less than this left is a full disk


class NoSuchInput(Fatal):
    """A file to replay cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"cannot read {path}: {why}")
        self.path = path


class UnusedPosts(Fatal):
    """Files were given to a source that reads none."""

    def __init__(self, source: str) -> None:
        super().__init__(f"POSTS (--posts) is only for replays, and {source} reads no files: leave out POSTS or SOURCE")


class WrongQuotes(Fatal):
    """A list of files cannot be taken apart."""

    def __init__(self, line: str, why: str) -> None:
        super().__init__(f"POSTS={line}: {why}; quote names with blanks: POSTS=\"'my file.ndjson' other.ndjson\"")


class DiskFull(Fatal):
    """The disk has no room for a run."""

    def __init__(self, folder: Path, free: int, needed: int) -> None:
        super().__init__(
            f"the disk that holds {folder} has {free >> 20} MiB left, and a run needs {needed >> 20} MiB: "
            "make room, then run again"
        )
        self.free = free


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One `make run`: `posts` are the files to replay (the bundled sample if none), `source` where posts come from
    (a replay if None).
    """

    project: Path
    var: Path | None = None
    port: int = 8080
    aws_port: int = 4566
    source: str | None = None
    posts: tuple[Path, ...] = ()
    once: bool = False
    keep: bool = False
    top: int = 20

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return self.source or REPLAY

    def check(self) -> Layout:
        """The layout to run in; raises NotAProject, UnusedPosts, NoSuchInput, PortTaken or DiskFull."""
        layout = Layout.of(self.project, self.var)
        if self.posts and self.kind != REPLAY:
            raise UnusedPosts(self.kind)
        self.files(layout)
        claim(self.port, "PORT (--port)")
        claim(self.aws_port, "AWS_PORT (--aws-port)")
        layout.var.mkdir(parents=True, exist_ok=True)
        check_room(layout.var, NEEDED_BYTES)
        return layout

    def files(self, layout: Layout) -> tuple[Path, ...]:
        """The files that are replayed, absolute; none for a live source. Raises NoSuchInput.

        A directory stands for all files within it, a pattern such as `2026-*.gz` for those that match.
        """
        if self.kind != REPLAY:
            return ()
        posts = self.posts or (layout.root / "include" / "sample" / "synthetic-posts.ndjson.gz",)
        files = [path.resolve() for name in posts for path in _expanded(name)]
        return tuple(dict.fromkeys(files))


def files_of_line(line: str) -> tuple[Path, ...]:
    """The files that one line names: separated by blanks, quoted as in a shell, with ~ and wildcards; or a single file
    whose name has blanks. Raises WrongQuotes.
    """
    if Path(line).exists():
        return (Path(line),) if line.strip() else ()
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise WrongQuotes(line, str(error)) from error
    return tuple(Path(word).expanduser() for word in words)


def check_room(folder: Path, needed: int = LEFT_BYTES) -> None:
    """Raise DiskFull when the disk below `folder` has less than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(folder, free, needed)


def _expanded(path: Path) -> list[Path]:
    """The files that a name stands for, in the order of their names."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not _is_hidden(file.relative_to(path)))
        if not files:
            raise NoSuchInput(path, "the directory holds no files")
    elif path.exists() or not glob.has_magic(str(path)):
        files = [path]
    else:
        files = [Path(name) for name in sorted(glob.glob(str(path), recursive=True)) if Path(name).is_file()]  # noqa: PTH207 (absolute patterns)
        if not files:
            raise NoSuchInput(path, "no file matches")
    for file in files:
        _check_readable(file)
    return files


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise NoSuchInput(path, "there is no such file")
    if not path.is_file():
        raise NoSuchInput(path, "it is not a file")
    if not os.access(path, os.R_OK):
        raise NoSuchInput(path, "permission denied")
