"""Trino's jars: pinned by path, size and SHA-256, fetched once from a Maven repository into the user's cache."""

import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen
from xml.etree import ElementTree

CENTRAL = "https://repo1.maven.org/maven2"
_LOCK = Path(__file__).with_name("artifacts.lock")
_AT_ONCE = 8
_ATTEMPTS = 3
_SECONDS = 60.0  # without a byte
_CHUNK = 1 << 18
_STEP = 20_000_000  # bytes between two lines of progress


class CannotInstall(Exception):
    """Why Trino cannot be installed here; the message is for who started the server."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One jar. `path` is the one below a Maven repository; `uses` names the class paths that it is on."""

    path: str
    size: int
    sha256: str
    uses: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def locked() -> list[Artifact]:
    """What the lock file lists."""
    rows = [line.split(" ") for line in _LOCK.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    return [Artifact(path, int(size), sha256, tuple(uses.split(","))) for path, size, sha256, uses in rows]


def cache_folder() -> Path:
    """LOCALAWS_CACHE, or `localaws` in the user's cache folder."""
    named = os.environ.get("LOCALAWS_CACHE")
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(home) if home else Path.home() / ".cache") / "localaws"


def repository() -> str:
    """The Maven repository: LOCALAWS_MAVEN_REPOSITORY, a mirror of Maven's settings, or Maven Central."""
    named = os.environ.get("LOCALAWS_MAVEN_REPOSITORY")
    return (named or _mirror(Path.home() / ".m2" / "settings.xml") or CENTRAL).rstrip("/")


def _mirror(settings: Path) -> str | None:
    """The URL of the first mirror of Central in a settings.xml ("Using Mirrors for Repositories", Maven)."""
    try:
        root = ElementTree.parse(settings).getroot()  # noqa: S314 - the user's own file
    except (OSError, ElementTree.ParseError):
        return None
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        names = {name.strip() for name in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        if names & {"*", "central", "external:*"} and "!central" not in names:
            return (mirror.findtext("{*}url") or "").strip() or None
    return None


def fetch(
    artifacts: Sequence[Artifact],
    folder: Path,
    report: Callable[[str], None] | None = None,
    stopping: threading.Event | None = None,
) -> None:
    """Have every artifact below `folder`, in a repository's layout; give up when `stopping` is set.

    Raises CannotInstall.
    """
    missing = [artifact for artifact in artifacts if not _is_there(folder / artifact.path, artifact.size)]
    if not missing:
        return
    total = sum(artifact.size for artifact in missing)
    progress = _Progress(total, report or _print, stopping or threading.Event())
    source = repository()
    progress.say(f"fetching {len(missing)} jars ({total / 1e6:.0f} MB) from {_without_password(source)} into {folder}")
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="maven") as pool:
        tasks = [pool.submit(_fetch, artifact, source, folder, progress) for artifact in missing]
        try:
            for task in tasks:
                task.result()
        except CannotInstall:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Progress:
    """Says every so often how far it is."""

    def __init__(self, total: int, report: Callable[[str], None], stopping: threading.Event) -> None:
        self._stopping = stopping
        self._total = total
        self._done = 0
        self._turn = threading.Lock()
        self.say = report

    def check(self) -> None:
        """Raise CannotInstall once the server is being stopped."""
        if self._stopping.is_set():
            raise CannotInstall("the server is being stopped")

    def add(self, size: int) -> None:
        with self._turn:
            before = self._done
            self._done += size
            if before // _STEP != self._done // _STEP or self._done == self._total:
                self.say(f"{self._done / 1e6:.0f} of {self._total / 1e6:.0f} MB")


def _print(line: str) -> None:
    print(f"localaws: Trino: {line}", file=sys.stderr, flush=True)


def _is_there(path: Path, size: int) -> bool:
    """Files are renamed into place after their hash was checked."""
    return path.exists() and path.stat().st_size == size


def _fetch(artifact: Artifact, source: str, folder: Path, progress: _Progress) -> None:
    target = folder / artifact.path
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        digest = _download(f"{source}/{quote(artifact.path)}", partial, progress)
        if digest != artifact.sha256:
            raise CannotInstall(
                f"{_without_password(source)}/{artifact.path} has SHA-256 {digest}, expected {artifact.sha256}:"
                " the repository serves another file than the one that was locked"
            )
        partial.replace(target)
    except OSError as error:
        raise CannotInstall(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    progress.add(artifact.size)


def _download(url: str, target: Path, progress: _Progress) -> str:
    """The SHA-256 of what was written. Raises CannotInstall."""
    for attempt in range(_ATTEMPTS):
        digest = hashlib.sha256()
        try:
            with urlopen(url, timeout=_SECONDS) as response, target.open("wb") as file:  # noqa: S310 - pinned by hash
                for chunk in _chunks(response.read):
                    progress.check()
                    digest.update(chunk)
                    file.write(chunk)
            return digest.hexdigest()
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            if attempt == _ATTEMPTS - 1:
                reason = getattr(error, "reason", None) or error
                raise CannotInstall(
                    f"{_without_password(url)} cannot be fetched: {reason}. Trino needs a Maven repository once: check"
                    " the network, or name one with LOCALAWS_MAVEN_REPOSITORY"
                ) from error
            time.sleep(2.0**attempt)
    raise AssertionError("unreachable")


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(_CHUNK):
        yield chunk


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2] if '@' in rest.split('/')[0] else rest}"
