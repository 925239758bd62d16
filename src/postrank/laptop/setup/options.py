"""What a run was asked for, checked before anything is started."""

import glob
import os
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from postrank.aws.resources import MAIN
from postrank.collectors.configuration import KEY as COLLECTORS
from postrank.collectors.configuration import CollectorMap
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.laptop.setup import sample_parts
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.ports import claim
from postrank.streamer.config import read_document

REPLAY = "replay"
TAIL = "tail"
SAMPLE = "sample"  # a replay of the bundled sample, whatever other files are named
FILES = (REPLAY, TAIL)  # sources that read files
NEEDED_BYTES = 1 << 30  # what a run of the sample takes, several times over
LEFT_BYTES = 64 << 20  # less than this left is a full disk


class NoSuchInput(Fatal):
    """A file to replay cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"cannot read {path}: {why}; check POSTS (--posts), or files in CONFIG (--config)")
        self.path = path


class UnusedPosts(Fatal):
    """Files were given to a source that reads none."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"POSTS (--posts) is only for replay and tail, and {source} reads no files: leave out POSTS or SOURCE"
        )


class OtherSource(Fatal):
    """The options name one source, and the configuration another."""

    def __init__(self, source: str, config: Path, kind: str) -> None:
        super().__init__(
            f'SOURCE (--source) is {source}, and {config} has kind = "{kind}": leave out SOURCE, or correct the file'
        )


class SourcesInConfig(Fatal):
    """Sources or files were named beside a configuration that has several collectors."""

    def __init__(self, config: Path) -> None:
        super().__init__(
            f"{config} names the collectors of the run: leave out SOURCE and SOURCES (--source) and POSTS (--posts)"
        )


class OneConfig(Fatal):
    """Several sources were named beside a configuration of one."""

    def __init__(self, sources: tuple[str, ...], config: Path) -> None:
        super().__init__(
            f"SOURCES (--source) names {', '.join(sources)}, and {config} configures one source: write "
            "[collectors.NAME.source] for each into it, and leave out SOURCES"
        )


class OtherFiles(Fatal):
    """The options name some files, and the configuration others."""

    def __init__(self, config: Path) -> None:
        super().__init__(f"POSTS (--posts) and files in {config} name different files: leave out one of them")


class NoLogs(Fatal):
    """A log to follow was not named."""

    def __init__(self) -> None:
        super().__init__(
            "the source tail follows files that you name: POSTS=/var/log/app.ndjson (--posts), or files in [source] of "
            "CONFIG (--config)"
        )


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
    """One `make run`: `posts` are the files to replay (the bundled sample if none) or to follow, `source` where posts
    come from (a replay if None), `config` a file with the streamer's configuration, which may name both.

    `sources` are several, each a collector by the name of its kind; so has a configuration with several collectors.
    `collectors` takes them apart: in what it returns, `collector` is the name of one, and `table` its configuration.
    """

    project: Path
    var: Path | None = None
    port: int = 8080
    aws_port: int = 4566
    source: str | None = None
    sources: tuple[str, ...] = ()
    collector: str = MAIN
    table: Document | None = None
    config: Path | None = None
    posts: tuple[Path, ...] = ()
    once: bool = False
    keep: bool = False
    top: int = 20
    athena: str = "duckdb"  # the engine of the local Athena
    app: bool = True  # after the first ranking, of a run that stays
    app_port: int | None = None  # without one, 8501 if it is free
    engine: str | None = None  # what counts the stream's windows besides the streamer: "spark", or nothing

    @property
    def kind(self) -> str:
        """The kind of the source. Raises NoConfig."""
        kind = self.source or self._configured_kind or REPLAY
        return REPLAY if kind == SAMPLE else kind

    @property
    def label(self) -> str:
        """What the source is called for a person: its kind, and its collector where that says more."""
        return self.kind if self.collector in (MAIN, self.kind) else f"{self.collector} ({self.kind})"

    @property
    def document(self) -> Document:
        """The configuration file as it is, or a collector's part of it; empty if there is none. Raises NoConfig."""
        if self.table is not None:
            return self.table
        return read_document(self.config) if self.config else {}

    def collectors(self) -> tuple["Options", ...]:
        """The options of each collector of the run: these, for a single source. Raises NoConfig, WrongSettings,
        SourcesInConfig, OneConfig.
        """
        if self.table is None and self.config and COLLECTORS in self.document:
            if self.source or self.sources or self.posts:
                raise SourcesInConfig(self.config)
            tables = CollectorMap.of(self.document, str(self.config)).collectors
            return tuple(replace(self, collector=name, table=tables[name].table) for name in tables)
        if self.is_default:
            return tuple(replace(self, source=SAMPLE, collector=name) for name in sample_parts.PARTS)
        if not self.sources:
            return (self,)
        if self.config:
            raise OneConfig(self.sources, self.config)
        return tuple(self._of_source(source) for source in self.sources)

    @property
    def is_default(self) -> bool:
        """Whether nothing says what to read: the bundled sample then, by two collectors."""
        return self.table is None and not (self.source or self.sources or self.posts or self.config)

    def _of_source(self, source: str) -> "Options":
        """The options of one of several sources. Files are for those that read them."""
        posts = self.posts if source in FILES else ()
        return replace(self, source=source, sources=(), collector=source, posts=posts)

    def check(self) -> Layout:
        """The layout to run in; raises NotAProject, NoConfig, OtherSource, UnusedPosts, OtherFiles, NoSuchInput,
        NoLogs, PortTaken or DiskFull.
        """
        layout = Layout.of(self.project, self.var)
        collectors = self.collectors()
        if self.posts and not any(collector.posts for collector in collectors):
            raise UnusedPosts(" or ".join(collector.kind for collector in collectors))
        for collector in collectors:
            collector.check_files(layout)
        claim(self.port, "PORT (--port)")
        claim(self.aws_port, "AWS_PORT (--aws-port)")
        if self.app_port is not None:
            claim(self.app_port, "APP_PORT (--app-port)")
        layout.var.mkdir(parents=True, exist_ok=True)
        check_room(layout.var, NEEDED_BYTES)
        return layout

    def check_files(self, layout: Layout) -> None:
        """Raise OtherSource, UnusedPosts, OtherFiles, NoSuchInput or NoLogs for a single source."""
        kind = self._configured_kind
        if self.config and kind and self.source not in (None, kind):
            raise OtherSource(str(self.source), self.config, kind)
        if self.posts and (self.kind not in FILES or self.source == SAMPLE):
            raise UnusedPosts(str(self.source))
        files = self.files(layout)
        if self.config and self._configured_files and files != self._expanded_all(self._configured_files):
            raise OtherFiles(self.config)

    def files(self, layout: Layout) -> tuple[Path, ...]:
        """The files that are replayed, or the patterns of those that are followed, absolute; none for a network.

        To a replay, a directory stands for all files within it, a pattern such as `2026-*.gz` for those that match.
        Raises NoSuchInput, NoLogs.
        """
        if self.kind not in FILES:
            return ()
        posts = self.posts or self._configured_files
        if not posts and self.kind == TAIL:
            raise NoLogs
        return self._expanded_all(posts or (self._sample(layout),))

    def _sample(self, layout: Layout) -> Path:
        """The bundled sample, or the collector's part of it."""
        if self.source == SAMPLE and self.collector in sample_parts.PARTS:
            return sample_parts.part(layout, self.collector)
        return sample_parts.whole(layout)

    def _expanded_all(self, names: tuple[Path, ...]) -> tuple[Path, ...]:
        if self.kind == TAIL:
            return tuple(dict.fromkeys(_pattern(name) for name in names))
        files = [path.resolve() for name in names for path in _expanded(name)]
        return tuple(dict.fromkeys(files))

    @property
    def _configured_source(self) -> Document:
        table = self.document.get("source")
        return table if isinstance(table, dict) else {}

    @property
    def _configured_kind(self) -> str | None:
        kind = self._configured_source.get("kind")
        return kind if isinstance(kind, str) else None

    @property
    def _configured_files(self) -> tuple[Path, ...]:
        """The configuration's `files`; none if they are no list of texts, which the streamer's check reports."""
        files = self._configured_source.get("files")
        if self.kind not in FILES or not isinstance(files, list):
            return ()
        return tuple(Path(name) for name in files if isinstance(name, str))


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


def _pattern(path: Path) -> Path:
    """A log to follow, or a pattern of logs, as an absolute one. Raises NoSuchInput."""
    absolute = path.absolute()
    if absolute.is_dir():
        raise NoSuchInput(path, f"it is a directory: name the logs in it, such as '{path}/*.log'")
    names = glob.glob(str(absolute), recursive=True)  # noqa: PTH207 (absolute patterns)
    if not names:
        raise NoSuchInput(path, "there is no such file, and no file matches: create the log first")
    for name in names:
        _check_readable(Path(name))
    return absolute


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise NoSuchInput(path, "there is no such file")
    if not path.is_file():
        raise NoSuchInput(path, "it is not a file")
    if not os.access(path, os.R_OK):
        raise NoSuchInput(path, "permission denied")
