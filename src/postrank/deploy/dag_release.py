"""A release of the DAGs: DAGs, plugins, SQL and the wheel in the form that Amazon MWAA takes, with checksums.

dags/                 the DAGs, `include/` with release.json, and constraints.txt
plugins.zip           the plugins, and the wheel
requirements.txt      the wheel and what MWAA's image has too old, under --constraint
startup.sh            which Postrank this is: POSTRANK_ENVIRONMENT and POSTRANK_ACCOUNT of whoever builds
SHA256SUMS            the checksums of all other files
"""

import hashlib
import json
import shutil
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from postrank.deploy.code_version import RELEASE_FILE, checkout_version
from postrank.deploy.release import SUMS, BadRelease, build

# The newest Airflow of which AWS publishes MWAA's image (github.com/aws/amazon-mwaa-docker-images, images/airflow) that
# was tried. Older ones lack what the DAGs import: 3.0.6 has no airflow.sdk.BaseHook.
AIRFLOW = "3.2.1"
PLUGINS = "plugins.zip"
_SOURCES = ("dags", "include", "plugins", "uv.lock")  # of a checkout
_HOME = "/usr/local/airflow"  # AIRFLOW_HOME on MWAA
# What the image lacks, or has too old: its Amazon provider cannot run a crawler without rewriting it.
_OURS = ("apache-airflow-providers-amazon", "apache-airflow-providers-postgres", "tweepy")


@dataclass(frozen=True, slots=True)
class DagRelease:
    """A release on this machine."""

    version: str
    folder: Path

    @classmethod
    def of(cls, folder: Path) -> "DagRelease":
        """The release in a folder, checked against its own checksums. Raises BadRelease."""
        manifest = folder / "dags/include" / RELEASE_FILE
        try:
            version = str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
            sums = (folder / SUMS).read_text(encoding="utf-8")
        except (OSError, ValueError, KeyError) as error:
            raise BadRelease(f"{folder} is no release of DAGs: {error}") from error
        if sums != checksums(folder):
            raise BadRelease(f"the files in {folder} are not those that its {SUMS} names: build it again")
        return cls(version, folder)

    @property
    def files(self) -> dict[str, Path]:
        """All files by their names in the release; the checksums, which complete it, last."""
        return {**_files(self.folder), SUMS: self.folder / SUMS}

    @property
    def digest(self) -> str:
        """SHA-256 of the checksums: the one text that stands for the whole release."""
        return hashlib.sha256((self.folder / SUMS).read_bytes()).hexdigest()


def build_dags(checkout: Path, folder: Path, *, environment: str, account: str) -> DagRelease:
    """Build the checkout's release of the DAGs into a folder, which may hold an earlier one. Raises BadRelease."""
    version = checkout_version(checkout)
    missing = [name for name in _SOURCES if not (checkout / name).exists()]
    if missing:
        raise BadRelease(f"{checkout} lacks {', '.join(missing)}: run the command in a checkout of Postrank")
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMS).exists():
        raise BadRelease(f"{folder} holds something that was not built here: name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(checkout / "dags", folder / "dags", ignore=ignored)
    include = folder / "dags/include"
    shutil.copytree(checkout / "include", include, ignore=shutil.ignore_patterns("sample", RELEASE_FILE))
    (include / RELEASE_FILE).write_text(json.dumps({"version": version}) + "\n", encoding="utf-8")
    pins = _pins(checkout)
    constraints = (f"apache-airflow=={AIRFLOW}", *pins)
    _write_lines(folder / "dags/constraints.txt", constraints)
    with tempfile.TemporaryDirectory(prefix="postrank-release-") as place:
        release = build(checkout, Path(place))
        _zip(checkout / "plugins", folder / PLUGINS, next(release.folder.glob("*.whl")))
    requirements = (
        f"--find-links {_HOME}/plugins",
        f"--constraint {_HOME}/dags/constraints.txt",
        f"postrank[export,warehouse]=={release.version}",
        *(pin.replace("-amazon==", "-amazon[aiobotocore]==") for pin in pins),
    )
    _write_lines(folder / "requirements.txt", requirements)
    exports = {
        "POSTRANK_ENVIRONMENT": environment,
        "POSTRANK_ACCOUNT": account,
        "POSTRANK_INCLUDE": f"{_HOME}/dags/include",
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",  # the environment's own role
    }
    _write_lines(folder / "startup.sh", ("#!/bin/sh", *(f"export {name}='{value}'" for name, value in exports.items())))
    (folder / SUMS).write_text(checksums(folder), encoding="utf-8")
    return DagRelease.of(folder)


def checksums(folder: Path) -> str:
    """The checksums of a release's files in the form of sha256sum(1)."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in _files(folder).items()
    )


def _files(folder: Path) -> dict[str, Path]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path for name, path in sorted(files.items()) if name != SUMS}


def _pins(checkout: Path) -> list[str]:
    packages = tomllib.loads((checkout / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = {package["name"]: package["version"] for package in packages if "version" in package}
    return [f"{name}=={versions[name]}" for name in _OURS]


def _write_lines(path: Path, lines: tuple[str, ...]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _zip(plugins: Path, target: Path, wheel: Path) -> None:
    """The plugins and the wheel; the same files give the same bytes."""
    files = {path.relative_to(plugins).as_posix(): path for path in plugins.rglob("*") if path.is_file()}
    sources = {name: path for name, path in files.items() if "__pycache__" not in name}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted({**sources, wheel.name: wheel}.items()):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
