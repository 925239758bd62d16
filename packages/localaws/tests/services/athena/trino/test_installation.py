"""Trino's jars come from a Maven repository, checked by their hashes; a Java that is new enough runs them."""

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localaws.services.athena.execution.trino import artifacts
from localaws.services.athena.execution.trino.artifacts import Artifact, CannotInstall, fetch, locked, repository
from localaws.services.athena.execution.trino.java import LEAST, find_java
from localaws.services.athena.execution.trino.session import Text

CONTENT = b"a jar" * 1000
PATH = "io/example/jar/1/jar-1.jar"


@pytest.fixture
def maven(tmp_path, monkeypatch) -> Iterator[Path]:
    """The folder of a Maven repository on loopback."""
    folder = tmp_path / "repository"
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("LOCALAWS_MAVEN_REPOSITORY", f"http://127.0.0.1:{server.server_address[1]}/")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def artifact(content: bytes = CONTENT) -> Artifact:
    return Artifact(PATH, len(CONTENT), hashlib.sha256(content).hexdigest(), ("server",))


def test_jars_are_fetched_once_with_progress(maven, tmp_path):
    lines: list[str] = []
    fetch([artifact()], tmp_path / "cache", lines.append)
    assert (tmp_path / "cache" / PATH).read_bytes() == CONTENT
    assert len(lines) == 2
    (maven / PATH).unlink()
    fetch([artifact()], tmp_path / "cache", lines.append)
    assert len(lines) == 2


def test_another_file_than_the_locked_one_is_refused(maven, tmp_path):
    with pytest.raises(CannotInstall, match=r"jar-1\.jar has SHA-256 .* expected"):
        fetch([artifact(b"what was locked")], tmp_path / "cache", print)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_an_absent_repository_is_one_clear_error(maven, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "_ATTEMPTS", 1)
    (maven / PATH).unlink()
    with pytest.raises(CannotInstall, match="LOCALAWS_MAVEN_REPOSITORY"):
        fetch([artifact()], tmp_path / "cache", print)


def test_a_server_that_is_being_stopped_waits_for_no_jar(maven, tmp_path):
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(CannotInstall, match="being stopped"):
        fetch([artifact()], tmp_path / "cache", print, stopping)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_repository_is_that_of_mavens_settings(tmp_path, monkeypatch):
    monkeypatch.delenv("LOCALAWS_MAVEN_REPOSITORY", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert repository() == artifacts.CENTRAL
    settings = tmp_path / ".m2" / "settings.xml"
    settings.parent.mkdir()
    mirror = "<mirrors><mirror><mirrorOf>{}</mirrorOf><url>https://mirror.example/maven/</url></mirror></mirrors>"
    for namespace in ("", ' xmlns="http://maven.apache.org/SETTINGS/1.2.0"'):
        settings.write_text(f"<settings{namespace}>{mirror.format('*,!internal')}</settings>")
        assert repository() == "https://mirror.example/maven"
    settings.write_text(f"<settings>{mirror.format('*,!central')}</settings>")
    assert repository() == artifacts.CENTRAL


def test_every_locked_jar_is_pinned():
    pinned = locked()
    assert {use for entry in pinned for use in entry.uses} == {"server", "hive", "iceberg", "compiler"}
    assert all(len(entry.sha256) == 64 and entry.size > 0 and entry.path.endswith(".jar") for entry in pinned)


def test_a_java_that_is_too_old_is_named(tmp_path, monkeypatch):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.9"\n')
    monkeypatch.setenv("LOCALAWS_JAVA_HOME", str(tmp_path))
    with pytest.raises(CannotInstall, match=f"Java 17, Trino needs {LEAST} or newer"):
        find_java()
    (tmp_path / "release").write_text(f'JAVA_VERSION="{LEAST}"\n')
    assert find_java() == Path(os.fspath(java))


@pytest.mark.parametrize(
    ("message", "expected"),
    [("line 2:3: a", "line 2:9: a"), ("line 3:4: b", "line 3:4: b"), ("line 1:9: c", "line 1:1: c")],
)
def test_places_are_those_in_the_callers_text(message, expected):
    sql = "create\ntable as select x\n from y"
    assert Text.of(sql, sql.index("as select"), head="CREATE TABLE t AS").placed(message) == expected
