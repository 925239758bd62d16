"""Which version of DAGs, plugins and SQL runs: that of their release, or that of the checkout where they lie."""

import json
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from postrank.bundles.folders import commit_of

RELEASE_FILE = "release.json"  # in include/ of a release
_SHORT = 8  # characters of a commit


def running_version(include: Path) -> str:
    """`0.1.0-3f9a01c2`: of the release that the folder `include` belongs to, or else of its checkout."""
    try:
        return str(json.loads((include / RELEASE_FILE).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return checkout_version(include.parent)


@cache
def checkout_version(checkout: Path) -> str:
    """`0.1.0-3f9a01c2`: package version and commit, with `+` where files differ from it.

    Outside of a git repository the version of the package alone. It is read once a process.
    """
    commit = commit_of(checkout, None)
    changed = "+" if commit.endswith("+") else ""
    return f"{_package_version(checkout)}-{commit[:_SHORT]}{changed}" if commit else _package_version(checkout)


def _package_version(checkout: Path) -> str:
    try:
        return str(tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        pass
    try:
        return version("postrank")
    except PackageNotFoundError:
        return "unknown"
