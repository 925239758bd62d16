"""A release: one wheel, its locked requirements, and their checksums, in a folder."""

import hashlib
import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from postrank.errors import Fatal

SUMS = "SHA256SUMS"
REQUIREMENTS = "requirements.txt"
_VERSION = re.compile(r"\d{1,5}\.\d{1,5}\.\d{1,5}[a-z0-9.]{0,20}")  # as the SSM document and Terraform have it
_BUILD_SECONDS = 300


class BadRelease(Fatal):
    """What should be a release is none, or cannot be built."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release on this machine."""

    version: str
    folder: Path

    @classmethod
    def of(cls, folder: Path) -> "Release":
        """The release that lies in a folder, checked against its own checksums. Raises BadRelease."""
        wheels = sorted(folder.glob("postrank-*.whl"))
        missing = [name for name in (SUMS, REQUIREMENTS) if not (folder / name).is_file()]
        if len(wheels) != 1 or missing:
            raise BadRelease(
                f"{folder} is no release: it must hold one postrank-*.whl, {REQUIREMENTS} and {SUMS}; "
                f"it has {len(wheels)} wheels" + (f" and lacks {', '.join(missing)}" if missing else "")
            )
        release = cls(checked_version(wheels[0].name.split("-")[1]), folder)
        if (folder / SUMS).read_text(encoding="utf-8") != _sums(folder):
            raise BadRelease(f"the files in {folder} are not those that its {SUMS} names: build it again")
        return release

    @property
    def files(self) -> list[Path]:
        """All its files; the checksums, which complete it, last."""
        return [*(path for path in sorted(self.folder.iterdir()) if path.name != SUMS), self.folder / SUMS]

    @property
    def sums_digest(self) -> str:
        """SHA-256 of the checksums: the one text that stands for the whole release."""
        return hashlib.sha256((self.folder / SUMS).read_bytes()).hexdigest()


def checked_version(text: str) -> str:
    """`text`, if it is a version such as 0.2.0. Raises BadRelease."""
    if not _VERSION.fullmatch(text):
        raise BadRelease(f"{text!r} is no version such as 0.2.0")
    return text


def build(checkout: Path, folder: Path) -> Release:
    """Build the checkout's release into an empty folder with uv. Raises BadRelease with what uv said."""
    uv = _uv(checkout)
    _run(checkout, uv, "build", "--quiet", "--wheel", "--out-dir", str(folder))
    (folder / ".gitignore").unlink(missing_ok=True)
    export = ("--locked", "--no-dev", "--no-emit-workspace", "--no-header", "--format", "requirements-txt")
    (folder / REQUIREMENTS).write_text(_run(checkout, uv, "export", "--quiet", *export), encoding="utf-8")
    (folder / SUMS).write_text(_sums(folder), encoding="utf-8")
    return Release.of(folder)


def version_of(checkout: Path) -> str | None:
    """The version that a checkout of Postrank would build, or None where there is no checkout."""
    try:
        project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (FileNotFoundError, KeyError, tomllib.TOMLDecodeError):
        return None
    return str(project["version"]) if project.get("name") == "postrank" else None


def _sums(folder: Path) -> str:
    """The checksums in the form of sha256sum(1)."""
    files = [path for path in sorted(folder.iterdir()) if path.name != SUMS]
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def _uv(checkout: Path) -> str:
    # UV is what `uv run` calls itself; var/uv is where `make setup` puts it on a machine without one.
    own = checkout / "var" / "uv" / "bin" / "uv"
    executable = shutil.which("uv") or os.environ.get("UV") or (str(own) if own.exists() else None)
    if not executable:
        raise BadRelease("uv is needed to build a release: run `make setup`, or name a built one with --dist")
    return executable


def _run(checkout: Path, *argv: str) -> str:
    try:
        done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise BadRelease(f"{' '.join(argv[:3])} did not end within {_BUILD_SECONDS} s") from error
    if done.returncode:
        raise BadRelease(f"{' '.join(argv[:3])} failed with status {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    return done.stdout
