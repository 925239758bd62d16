"""Trino as it lies in the cache: jars, plugin folders, and localaws's own classes, compiled once."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from localaws.services.athena.execution.trino.artifacts import (
    Artifact,
    CannotInstall,
    cache_folder,
    fetch,
    locked,
)
from localaws.services.athena.execution.trino.java import find_java

VERSION = "476"
_SOURCES = Path(__file__).with_name("java")
# The service files that Trino's plugins have in its tarball; Maven's artifacts lack them.
_PLUGINS = {
    "hive": "io.trino.plugin.hive.HivePlugin",
    "iceberg": "io.trino.plugin.iceberg.IcebergPlugin",
}
_OWN_PLUGIN = "CallerAccessPlugin"
_SERVICE = "META-INF/services/io.trino.spi.Plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What a start needs."""

    java: Path
    class_path: str
    plugins: Path  # one folder per plugin


def install(stopping: threading.Event | None = None) -> Installation:
    """Fetch, compile and lay out what is not in the cache yet; give up when `stopping` is set. Raises CannotInstall."""
    java = find_java()
    artifacts = locked()
    root = cache_folder()
    jars = root / "maven"
    fetch(artifacts, jars, stopping=stopping)
    home = root / f"trino-{VERSION}-{_fingerprint(artifacts)}"
    try:
        if not home.exists():
            _lay_out(java, artifacts, jars, home)
    except OSError as error:
        raise CannotInstall(f"{home} cannot be written: {error.strerror or error}") from error
    server = [str(jars / artifact.path) for artifact in artifacts if "server" in artifact.uses]
    return Installation(
        java=java,
        class_path=os.pathsep.join([str(home / "launcher.jar"), *server]),
        plugins=home / "plugin",
    )


def _fingerprint(artifacts: list[Artifact]) -> str:
    digest = hashlib.sha256(repr(artifacts).encode())
    for source in sorted(_SOURCES.glob("*.java")):
        digest.update(source.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:12]


def _lay_out(java: Path, artifacts: list[Artifact], jars: Path, home: Path) -> None:
    """Build the folder beside its place, so that it is whole or absent."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        draft = Path(scratch) / "trino"
        for name, plugin in _PLUGINS.items():
            folder = draft / "plugin" / name
            folder.mkdir(parents=True)
            for artifact in artifacts:
                if name in artifact.uses:
                    (folder / artifact.name).symlink_to(jars / artifact.path)
            _jar(folder / "service.jar", service=plugin)
        classes = _compiled(java, artifacts, jars, Path(scratch))
        own = draft / "plugin" / "localaws"
        own.mkdir()
        _jar(own / "localaws.jar", classes=classes, service=_OWN_PLUGIN)
        _jar(draft / "launcher.jar", classes=classes)
        if not home.exists():  # another process may have been faster
            shutil.move(draft, home)


def _compiled(java: Path, artifacts: list[Artifact], jars: Path, scratch: Path) -> Path:
    """The folder of the compiled sources; a JRE brings no compiler, so that this one comes from the repository."""
    classes = scratch / "classes"
    libraries = [str(jars / artifact.path) for artifact in artifacts if "server" in artifact.uses]
    compiler = next(str(jars / artifact.path) for artifact in artifacts if "compiler" in artifact.uses)
    sources = [str(source) for source in sorted(_SOURCES.glob("*.java"))]
    command = [str(java), "-Xmx256m", "-jar", compiler, "-21", "-nowarn", "-cp", os.pathsep.join(libraries)]
    done = subprocess.run([*command, "-d", str(classes), *sources], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotInstall(f"the launcher of Trino does not compile: {(done.stdout + done.stderr).strip()[-500:]}")
    return classes


def _jar(target: Path, *, classes: Path | None = None, service: str = "") -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(classes.rglob("*.class")) if classes else ():
            archive.write(path, path.relative_to(classes or path).as_posix())
        if service:
            archive.writestr(_SERVICE, service + "\n")
