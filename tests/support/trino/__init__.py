"""A real Trino, where a JDK and Maven are at hand: what Athena's engine is made of answers the same statements.

The newest release that runs on Java 17 is fetched once with Maven into `POSTRANK_TRINO` (or ~/.cache/postrank/trino).
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from localaws.testing.patience import patient

_HERE = Path(__file__).parent
_FETCH_SECONDS, _RUN_SECONDS = 240, 400
_ADDED_OPENS = ("--add-opens=java.base/java.nio=ALL-UNNAMED", "-Djdk.attach.allowAttachSelf=true")
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the time, for what runs once
Cell = str | None


class NoTrino(Exception):
    """Why there is no Trino here."""


def answers(statements: Sequence[str], scratch: Path) -> list[list[list[Cell]] | str]:
    """The rows of each statement, or Trino's error message. Raises NoTrino."""
    jars = _jars()
    asked, answered = scratch / "statements", scratch / "answers"
    asked.write_text("".join(base64.b64encode(sql.encode()).decode() + "\n" for sql in statements))
    command = [
        "java",
        "-Xmx1g",
        *_SHORT_LIVED,
        *_ADDED_OPENS,
        "-cp",
        f"{jars}/*",
        str(_HERE / "Oracle.java"),
        str(asked),
        str(answered),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patient(_RUN_SECONDS), check=False)
    except subprocess.TimeoutExpired as error:
        raise NoTrino(f"Trino did not answer within {_RUN_SECONDS} s") from error
    if not answered.exists():
        raise NoTrino(f"Trino did not run: {done.stderr.strip()[-300:]}")
    return [_read(line) for line in answered.read_text().splitlines()]


def _read(line: str) -> list[list[Cell]] | str:
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
