"""The jars of Kafka's broker, fetched once from Maven Central and verified by `jars.sha256`."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError

from localaws.testing.patience import patient

VERSION = "4.1.2"
_HERE = Path(__file__).parent
_CENTRAL = "https://repo1.maven.org/maven2"
_JAVA = 17  # the oldest that runs a broker of this version
_FETCH_SECONDS = 60  # a jar


class NoKafka(Exception):
    """Why there is no Kafka here."""


def classpath() -> str:
    """The broker's class path, with what takes IAM tokens. Raises NoKafka."""
    java_version()
    folder = Path(os.environ.get("POSTRANK_KAFKA") or Path.home() / ".cache" / "postrank" / "kafka") / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    lines = (_HERE / "jars.sha256").read_text(encoding="ascii").splitlines()
    pinned = {path: digest for digest, path in map(str.split, lines)}
    missing = [path for path in pinned if not (folder / Path(path).name).exists()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: _fetch(path, pinned[path], folder), missing))
    jars = ":".join(str(folder / Path(path).name) for path in pinned)
    return f"{jars}:{_compiled(jars, folder)}"


def java_version() -> int:
    """The version of the `java` on the PATH. Raises NoKafka for none, or one that is too old."""
    if shutil.which("java") is None:
        raise NoKafka("java is not installed")
    banner = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', banner)
    if match is None or int(match[1]) < _JAVA:
        raise NoKafka(f"Kafka {VERSION} needs Java {_JAVA} or later, and there is {banner.splitlines()[:1]}")
    return int(match[1])


def _fetch(path: str, digest: str, folder: Path) -> None:
    """Fetch one jar. Raises NoKafka for what cannot be had, or is not what was pinned."""
    try:
        with urllib.request.urlopen(f"{_CENTRAL}/{path}", timeout=patient(_FETCH_SECONDS)) as response:
            body = response.read()
    except (URLError, TimeoutError, ConnectionError) as error:
        raise NoKafka(f"{path} could not be fetched: {error}") from error
    if hashlib.sha256(body).hexdigest() != digest:
        raise NoKafka(f"{path} is not the file that jars.sha256 pins")
    _publish(folder / Path(path).name, body)


def _compiled(jars: str, folder: Path) -> Path:
    """The folder with the compiled IamTokens, which needs a JDK. Raises NoKafka."""
    source = _HERE / "IamTokens.java"
    classes = folder / hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    if classes.exists():
        return classes
    if shutil.which("javac") is None:
        raise NoKafka("javac is not installed: install a JDK, not only a JRE")
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        command = ["javac", "--release", str(_JAVA), "-cp", jars, "-d", f"{fresh}/classes", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoKafka(f"javac: {done.stderr[-300:]}")
        if not classes.exists():  # another process may have been first
            Path(fresh, "classes").rename(classes)
    return classes


def _publish(path: Path, body: bytes) -> None:
    """Write a file that other processes see whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(body)
    Path(file.name).replace(path)
