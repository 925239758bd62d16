"""Mistakes of a new user, each typed as a person types it: one message that says what, where, and what to do."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from postrank.laptop.setup.current_run import CurrentRun, describe, only_run
from postrank.laptop.setup.ports import any_free
from tests.support.fakes.x import fake_x

ROOT = Path(__file__).resolve().parents[3]
X = """[source]
kind = "x"
bearer_token = "env:X_BEARER_TOKEN"
daily_budget = 5.0
monthly_budget = 50.0
[[source.rules]]
value = "cats"
"""


@dataclass
class Desk:
    """A folder in which somebody types commands; a port that another program has; a run that is up elsewhere."""

    folder: Path
    taken: int
    busy: Path
    environ: dict[str, str] = field(default_factory=dict)

    def type(self, words: list[str]) -> "subprocess.CompletedProcess[str]":
        base = {name: text for name, text in os.environ.items() if not name.startswith(("POSTRANK_", "AWS_"))}
        return subprocess.run(
            words,
            cwd=self.folder,
            env={**base, "PATH": f"{Path(sys.executable).parent}:{base['PATH']}", **self.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(60),
        )

    def up(self, *words: str, port: int = 0, aws_port: int = 0, var: Path | None = None) -> list[str]:
        ports = ["--port", str(port or any_free()), "--aws-port", str(aws_port or any_free())]
        return ["postrank", "up", "--project", str(ROOT), "--var", str(var or self.folder / "var"), *ports, *words]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    busy = tmp_path_factory.mktemp("busy")
    (folder / "two words.ndjson").touch()
    (folder / "notes.txt").write_text("these are\nno posts\n", encoding="utf-8")
    _export(folder)
    with fake_x() as x, socket.create_server(("127.0.0.1", 0)) as taken, _run_in(busy):
        (folder / "x.toml").write_text(X.replace("[[", f'host = "{x.url}"\n[['), encoding="utf-8")
        (folder / "typo.toml").write_text(X.replace("bearer", "baerer"), encoding="utf-8")
        yield Desk(folder, taken.getsockname()[1], busy, {"X_BEARER_TOKEN": "of-somebody-else"})


def _export(folder: Path) -> None:
    """A ranking, as a run leaves it."""
    run = folder / "var" / "results" / "rankings" / "run=monday"
    (run / "granularity=all").mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    rows = [{"network": "mastodon:social.example", "rank": 1, "window_start": "a", "window_end": "b"}]
    (run / "granularity=all" / "ranked_authors.json").write_text(json.dumps(rows))
    (run.parent / "latest.json").write_text(json.dumps({"run": "monday"}))


@contextmanager
def _run_in(var: Path) -> Iterator[None]:
    run = CurrentRun(ui="http://127.0.0.1:1", aws="http://127.0.0.1:2", source="replay", posts=())
    with only_run(var) as description:
        describe(description, run)
        yield


def make(*words: str) -> list[str]:
    return ["make", "--no-print-directory", "-C", str(ROOT), *words]


# What is typed: (the words, what is wrong, where, what to do, the exit status).
MISTAKES = {
    "a file that is not there": (
        lambda desk: desk.up("--posts", "posts.ndjson"),
        ("cannot read", "posts.ndjson", "there is no such file", "check POSTS (--posts)"),
        2,
    ),
    "a name with a blank, not quoted": (
        lambda desk: desk.up("--posts-line", "it's two words.ndjson"),
        ("POSTS=it's two words.ndjson", "No closing quotation", "quote names with blanks"),
        2,
    ),
    "files for a live source": (
        lambda desk: desk.up("--source", "bluesky", "--posts", "two words.ndjson"),
        ("POSTS (--posts)", "bluesky reads no files", "leave out POSTS or SOURCE"),
        2,
    ),
    "a variable that make does not know": (
        lambda _: make("--dry-run", "run", "POST=a.ndjson"),
        ("unknown variable", "POST", "make takes PORT AWS_PORT POSTS SOURCE SOURCES CONFIG"),
        2,
    ),
    "the port of the UI is taken": (
        lambda desk: desk.up(port=desk.taken),
        ("is taken by another program", "127.0.0.1", "choose another with PORT (--port)"),
        2,
    ),
    "the port of the local AWS is taken": (
        lambda desk: desk.up(aws_port=desk.taken),
        ("is taken by another program", "127.0.0.1", "choose another with AWS_PORT (--aws-port)"),
        2,
    ),
    "a second run in a checkout": (
        lambda desk: desk.up(var=desk.busy),
        ("a run is up", "process", "stop it with `postrank stop`"),
        2,
    ),
    "a typing error in the configuration": (
        lambda desk: desk.up("--config", "typo.toml"),
        (
            "source.baerer_token is not a known key",
            "did you mean 'bearer_token'?",
            "-> correct these keys in typo.toml",
        ),
        2,
    ),
    "a token that the network rejects": (
        lambda desk: desk.up("--config", "x.toml"),
        ("with 401", "the bearer token is not valid", "-> correct [source] in x.toml, or the variable"),
        2,
    ),
    "no network": (
        lambda desk: ["env", 'POSTRANK_STREAM_SOURCE__HOSTS=["ws://127.0.0.1:9"]', *desk.up("--source", "bluesky")],
        ("the source bluesky does not answer", "ws://127.0.0.1:9", "-> check this machine's network"),
        75,
    ),
    "a command that does not exist": (
        lambda _: ["postrank", "result"],
        ("No such command 'result'", "did you mean 'results'?", "Try 'postrank --help'"),
        2,
    ),
    "a network that the ranking does not have": (
        lambda _: ["postrank", "results", "--network", "mastodon"],
        ("no author of the network 'mastodon'", "did you mean 'mastodon:social.example'?", "its networks:"),
        2,
    ),
    "a run that was not exported": (
        lambda _: ["postrank", "report", "--run", "munday"],
        ("no run 'munday' was exported", "did you mean 'monday'?", "exported runs: monday"),
        2,
    ),
    "a file that holds no posts": (
        lambda _: ["postrank", "inspect", "notes.txt"],
        ("notes.txt", "neither JSON nor a table", "give posts as JSON lines, CSV or Parquet"),
        2,
    ),
    "a stop where nothing runs": (
        lambda desk: ["postrank", "stop", "--var", str(desk.folder)],
        ("nothing is running in", "start a run with `make run`"),
        2,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_message_with_what_where_and_what_to_do(mistake: str, desk: Desk) -> None:
    words, phrases, status = MISTAKES[mistake]
    ended = desk.type(words(desk))
    message = ended.stderr
    assert [phrase for phrase in phrases if phrase not in message] == [], message
    assert ended.returncode == status, message
    assert "Traceback" not in message + ended.stdout
    assert message.count("postrank: ") + message.count("Error: ") + message.count("*** ") == 1, message
    assert "of-somebody-else" not in message + ended.stdout
