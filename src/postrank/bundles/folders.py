"""Folders and git repositories from which bundles are published."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postrank.bundles.bundle import BadBundle

CONFIG_NAME = "postrank.toml"
_GIT_SECONDS = 60


@contextmanager
def folder_at(folder: Path, ref: str | None) -> Iterator[Path]:
    """A folder as it is, or as it is in a commit of its repository. Raises BadBundle."""
    if ref is None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="postrank-config-") as place:
        archive = _git(folder, "archive", "--format=tar", f"{_resolved(folder, ref)}:./")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(place, filter="data")
        yield Path(place)


def commit_of(folder: Path, ref: str | None) -> str:
    """The commit that is published, `+` behind it when files differ from it; "" outside of a repository."""
    if ref is not None:
        return _resolved(folder, ref)
    try:
        commit = _resolved(folder, "HEAD")
        return f"{commit}+" if _git(folder, "status", "--porcelain", "--", ".") else commit
    except BadBundle:
        return ""


def _resolved(folder: Path, ref: str) -> str:
    name = f"{ref}^{{commit}}"
    return _git(folder, "rev-parse", "--verify", "--end-of-options", name).decode().strip()


def _git(folder: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, timeout=_GIT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise BadBundle("git is not installed: publish a folder without --ref") from error
    except subprocess.TimeoutExpired as error:
        raise BadBundle(f"git {words[0]} did not end within {_GIT_SECONDS} s") from error
    if done.returncode:
        raise BadBundle(f"git {words[0]} in {folder}: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
