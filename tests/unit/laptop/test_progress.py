"""What a run shows of its steps: plain lines where no table can be drawn, and how long each usually takes."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from localaws.testing.patience import patient
from postrank.laptop import status as status_module
from postrank.laptop.job import SPARK_STEP, STEPS
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options
from postrank.laptop.status import Status
from postrank.laptop.step_times import TYPICAL, StepTimes

ROOT = Path(__file__).resolve().parents[3]
SHOW = """
from rich.console import Console
from postrank.laptop.status import Status
steps = {"load": "reads the posts", "rank": "counts them", "show": "prints"}
with Status(Console(), steps, lambda step: "usually 5 s") as status:
    status.begin("load")
    status.say("load", "12 read")
    status.done("load")
    status.begin("rank")
    raise SystemExit
"""
LINES = ["… load: reads the posts (usually 5 s)", "✓ load: 12 read (0.0 s)", "… rank: counts them (usually 5 s)"]


def on_a_terminal(**variables: str) -> str:
    """What a process writes whose output is a terminal."""
    inherited = {
        name: text for name, text in os.environ.items() if name not in ("CI", "NO_COLOR", "TERM", "FORCE_COLOR")
    }
    parent, child = pty.openpty()
    env = {**inherited, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "COLUMNS": "100", **variables}
    process = subprocess.Popen([sys.executable, "-c", SHOW], stdin=child, stdout=child, stderr=child, env=env)
    os.close(child)
    output = b"".join(_chunks(parent))
    assert process.wait(patient(60)) == 0
    os.close(parent)
    return output.decode()


def _chunks(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:  # the other side is closed
            return
        if not chunk:
            return
        yield chunk


def test_a_terminal_shows_a_table_that_changes() -> None:
    output = on_a_terminal()
    assert "\x1b[" in output
    assert "usually 5 s" in output


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}], ids=str)
def test_a_terminal_that_wants_plain_lines_gets_them(variables: dict[str, str]) -> None:
    lines = on_a_terminal(**variables).replace("\r", "").splitlines()
    assert [line for line in lines if line[0] != "✗"] == LINES


def test_a_log_gets_plain_lines_in_ascii_where_it_knows_no_more() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, env=env, check=True)
    marks = [line.partition(" ")[0] for line in shown.stdout.splitlines()]
    assert marks[:3] == ["..", "ok", ".."]
    assert "\x1b" not in shown.stdout


def test_a_long_step_tells_a_log_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_module, "_PLAIN_SECONDS", 0.0)
    out = StringIO()
    with Status(Console(file=out), {"load": "reads the posts"}) as status:
        status.say("load", "before it began")
        status.begin("load")
        for number in (1, 1, 2):
            status.say("load", f"{number} read")
    lines = [line for line in out.getvalue().splitlines() if "so far" in line]
    assert lines == ["… load: 1 read (0 s so far)", "… load: 2 read (0 s so far)"]


def times(folder: Path, posts: Path | None = None, source: str | None = None) -> StepTimes:
    options = Options(project=ROOT, var=folder, posts=(posts,) if posts else (), source=source)
    return StepTimes.of(options, Layout.of(ROOT, folder))


def test_every_step_has_a_typical_time_until_one_was_measured(tmp_path: Path) -> None:
    assert set(TYPICAL) == {*STEPS, *SPARK_STEP}
    assert times(tmp_path).usual("rank_authors") == "usually 40 s for the sample"
    assert times(tmp_path).usual("Airflow") == "usually 35 s"
    for seconds in (90.0, 10.0, 12.0):
        times(tmp_path).record({"rank_authors": seconds, "Airflow": seconds})
    assert times(tmp_path).usual("rank_authors") == "usually 12 s"


def test_what_depends_on_the_posts_is_measured_for_as_many_posts(tmp_path: Path) -> None:
    small = tmp_path / "small.ndjson"
    small.write_bytes(b"1" * 100)
    large = tmp_path / "large.ndjson"
    large.write_bytes(b"1" * 100_000)
    times(tmp_path, small).record({"streamer": 3.0, "Airflow": 7.0})
    assert times(tmp_path, small).usual("streamer") == "usually 3 s"
    assert "for the sample" in times(tmp_path, large).usual("streamer")
    assert "for the sample" in times(tmp_path, source="bluesky").usual("streamer")
    assert times(tmp_path, large).usual("Airflow") == "usually 7 s"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"any posts": 5}', '{"any posts": {"Airflow": ["x"]}}'])
def test_measurements_that_cannot_be_read_are_replaced(text: str, tmp_path: Path) -> None:
    path = times(tmp_path).path
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert times(tmp_path).usual("Airflow") == "usually 35 s"
    times(tmp_path).record({"Airflow": 5.0})
    assert times(tmp_path).usual("Airflow") == "usually 5 s"
