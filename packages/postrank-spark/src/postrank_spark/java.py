"""The Java that runs Spark: 17 or 21 ("Overview", Spark 4.1)."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from postrank_spark.errors import JobError

VERSIONS = (17, 21)
_FOLDERS = (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines"))
_SECONDS = 30.0


def find_java_home() -> Path:
    """The home of a Java 17 or 21: JAVA_HOME, the PATH, then the folders where systems keep their JVMs.

    Raises JobError if there is none.
    """
    for home in _candidates():
        if _version(home / "bin" / "java") in VERSIONS:
            return home
    raise JobError(
        "Spark needs Java 17 or 21, and none is installed: install OpenJDK 17 (Debian: apt-get install"
        " openjdk-17-jre-headless), or name one with JAVA_HOME"
    )


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parent.parent
    for folder in _FOLDERS:
        if folder.is_dir():
            for installed in sorted(folder.iterdir()):
                bundle = installed / "Contents" / "Home"  # on macOS
                yield bundle if bundle.is_dir() else installed


def _version(java: Path) -> int:
    """The major version, or 0 for what is no Java."""
    try:
        done = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(\d+)', done.stderr)
    return int(match[1]) if match else 0
