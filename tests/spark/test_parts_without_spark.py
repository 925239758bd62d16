"""What the job does before Spark runs: records unpacked, a release made, Java and jars looked for."""

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from postrank_spark import java, release
from postrank_spark.errors import JobError
from postrank_spark.jars import Jar, fetched, locked
from postrank_spark.unpacking import text_of

ROOT = Path(__file__).resolve().parents[2]
QUERIES = ROOT / "include/sql/stream"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postrank_spark", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def test_gzip_members_are_unpacked_and_other_records_left_as_they_are():
    assert text_of(b'{"a":1}\n') == b'{"a":1}\n'
    assert text_of(gzip.compress(b"one\n") + gzip.compress(b"two\n")) == b"one\ntwo\n"
    assert text_of(None) is None


@pytest.mark.parametrize("data", [gzip.compress(b"x" * 1000)[:-9], b"\x1f\x8bnothing"], ids=["cut off", "no gzip"])
def test_a_broken_gzip_record_has_no_lines(data):
    assert text_of(data) is None


def test_a_release_has_the_same_version_until_a_file_changes(tmp_path):
    contents = release.files(QUERIES)
    assert {"job.py", "postrank_spark.zip", "queries/author_windows.sql"} <= set(contents)
    assert release.version_of(release.files(QUERIES)) == release.version_of(contents)
    changed = {**contents, "queries/author_windows.sql": b"-- another query"}
    assert release.version_of(changed) != release.version_of(contents)


def test_every_jar_is_pinned_by_size_and_hash():
    jars = locked()
    assert len({jar.path for jar in jars}) == len(jars) > 30
    assert all(jar.size > 0 and len(jar.sha256) == 64 for jar in jars)


def test_jars_are_fetched_once_and_one_with_another_hash_is_rejected(tmp_path, monkeypatch):
    repository = tmp_path / "repository"
    (repository / "a").mkdir(parents=True)
    (repository / "a/b.jar").write_bytes(b"jar")
    monkeypatch.setenv("POSTRANK_SPARK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("POSTRANK_SPARK_MAVEN_REPOSITORY", repository.as_uri())
    digest = hashlib.sha256(b"jar").hexdigest()
    monkeypatch.setattr("postrank_spark.jars.locked", lambda: [Jar("a/b.jar", 3, digest)])
    assert [path.read_bytes() for path in fetched()] == [b"jar"]
    (repository / "a/b.jar").unlink()
    assert [path.read_bytes() for path in fetched()] == [b"jar"]
    monkeypatch.setattr("postrank_spark.jars.locked", lambda: [Jar("a/c.jar", 3, digest)])
    (repository / "a/c.jar").write_bytes(b"?!?")
    with pytest.raises(JobError, match="the repository serves another file"):
        fetched()


def test_without_java_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "_FOLDERS", ())
    with pytest.raises(JobError, match="Spark needs Java 17 or 21, and none is installed: install OpenJDK 17"):
        java.find_java_home()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--checkpoints", "c", "--lake", "l"], "name one source"),
        (["--checkpoints", "c", "--kinesis", "posts"], "name where rows go"),
        (["--checkpoints", "c", "--kinesis", "s", "--postgres", "NO_SUCH_DSN"], "NO_SUCH_DSN, which is not set"),
        (["--checkpoints", "c", "--kinesis", "s", "--lake", "l", "--late", "soon"], "'soon' is no duration"),
    ],
)
def test_wrong_options_are_reported_before_spark_starts(words, message):
    done = run("run", *words)
    assert done.returncode == 2
    assert message in done.stderr
