"""A real Trino, where a JDK and Maven are at hand: what Athena's engine is made of answers the same statements.

The newest release that runs on Java 17 is fetched once with Maven into `POSTRANK_TRINO` (or ~/.cache/postrank/trino).
"""

import base64
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from localaws.testing.patience import patient

_HERE = Path(__file__).parent
_FETCH_SECONDS, _RUN_SECONDS = 240, 400
_ADDED_OPENS = ("--add-opens=java.base/java.nio=ALL-UNNAMED", "-Djdk.attach.allowAttachSelf=true")
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the time, for what runs once
Cell = str | None
Answer = list[list[Cell]] | str  # rows, or the error's name and message


class NoTrino(Exception):
    """Why there is no Trino here."""


class Trino:
    """A running Trino that answers statements one by one."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[str]) -> None:
        self._process = process
        self._log = log

    def answer(self, statement: str) -> Answer:
        """The rows of a statement, or Trino's error. Raises NoTrino where the process has ended."""
        requests = self._process.stdin
        answers = self._process.stdout
        if requests is None or answers is None:
            raise NoTrino("Trino was started without pipes")
        timer = threading.Timer(patient(_RUN_SECONDS), self._process.kill)
        timer.start()
        try:
            requests.write(base64.b64encode(statement.encode()).decode() + "\n")
            requests.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            self._log.seek(0)
            raise NoTrino(f"Trino did not run: {self._log.read().strip()[-300:]}")
        return _read(line.rstrip("\n"))


@contextmanager
def running() -> Iterator[Trino]:
    """Start Trino, and stop it at the end. Raises NoTrino where it cannot be had."""
    jars = _jars()
    command = ["java", "-Xmx1g", *_SHORT_LIVED, *_ADDED_OPENS, "-cp", f"{jars}/*", str(_HERE / "Oracle.java")]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield Trino(process, log)
        finally:
            process.kill()
            process.communicate()


def answers(statements: Sequence[str]) -> list[Answer]:
    """What Trino answers to each statement. Raises NoTrino."""
    with running() as trino:
        return [trino.answer(sql) for sql in statements]


def _read(line: str) -> Answer:
    state, _, rest = line.partition(" ")
    if state == "error":
        return _decoded(rest)
    return [[None if cell == "-" else _decoded(cell) for cell in row.split(",")] for row in rest.split(";") if row]


def _decoded(text: str) -> str:
    return base64.b64decode(text.rstrip(".")).decode()


def _jars() -> Path:
    """The folder of Trino's jars, fetched if it is not there."""
    root = Path(os.environ.get("POSTRANK_TRINO") or Path.home() / ".cache" / "postrank" / "trino")
    jars = root / "435"
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None and (tool == "java" or not (jars / ".complete").exists()):
            raise NoTrino(f"{tool} is not installed")
    if not (jars / ".complete").exists():
        jars.mkdir(parents=True, exist_ok=True)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        command = ["mvn", "-q", "-B", "-f", str(_HERE / "pom.xml"), *goal]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=patient(_FETCH_SECONDS), check=False)
        except subprocess.TimeoutExpired as error:
            raise NoTrino(f"Maven did not fetch Trino within {_FETCH_SECONDS} s") from error
        if done.returncode != 0:
            raise NoTrino(f"Maven could not fetch Trino: {(done.stdout + done.stderr).strip()[-300:]}")
        (jars / ".complete").touch()
    return jars
