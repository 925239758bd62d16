"""The jars that Spark lacks (Kafka, s3a): pinned by SHA-256, fetched once from a Maven repository into a cache."""

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from postrank_spark.errors import JobError

CENTRAL = "https://repo1.maven.org/maven2"
_LOCK = Path(__file__).with_name("jars.lock")
_SECONDS = 60.0
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """One artifact: its path below a Maven repository, size in bytes and SHA-256."""

    path: str
    size: int
    sha256: str


def locked() -> list[Jar]:
    """What the lock file lists."""
    rows = [line.split(" ") for line in _LOCK.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    return [Jar(path, int(size), sha256) for path, size, sha256 in rows]


def cache_folder() -> Path:
    """POSTRANK_SPARK_CACHE, or `postrank-spark` in the user's cache folder."""
    named = os.environ.get("POSTRANK_SPARK_CACHE")
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(home) if home else Path.home() / ".cache") / "postrank-spark"


def repository() -> str:
    """The Maven repository: POSTRANK_SPARK_MAVEN_REPOSITORY, or Maven Central."""
    return os.environ.get("POSTRANK_SPARK_MAVEN_REPOSITORY", CENTRAL).rstrip("/")


def fetched() -> list[Path]:
    """The jars as files of the cache, downloaded where they are missing. Raises JobError."""
    folder = cache_folder()
    jars = locked()
    missing = [jar for jar in jars if not _is_there(folder / jar.path, jar.size)]
    if missing:
        megabytes = sum(jar.size for jar in missing) / 1e6
        print(f"postrank-spark: fetching {len(missing)} jars ({megabytes:.0f} MB) into {folder}", file=sys.stderr)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda jar: _fetch(jar, folder), missing))
    return [folder / jar.path for jar in jars]


def _is_there(path: Path, size: int) -> bool:
    """Files are renamed into place after their hash was checked."""
    return path.exists() and path.stat().st_size == size


def _fetch(jar: Jar, folder: Path) -> None:
    url = f"{repository()}/{quote(jar.path)}"
    try:
        with urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 - pinned by hash
            body = response.read()
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise JobError(
            f"{jar.path} cannot be fetched: {reason}. Check the network, or name a Maven repository with"
            " POSTRANK_SPARK_MAVEN_REPOSITORY"
        ) from error
    if (digest := hashlib.sha256(body).hexdigest()) != jar.sha256:
        raise JobError(f"{jar.path} has SHA-256 {digest}, expected {jar.sha256}: the repository serves another file")
    target = folder / jar.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{os.getpid()}.part")
        partial.write_bytes(body)
        partial.replace(target)
    except OSError as error:
        raise JobError(f"{target} cannot be written: {error.strerror or error}") from error
