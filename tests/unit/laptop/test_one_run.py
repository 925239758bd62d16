"""One run per checkout, resumed with its own posts; what a second terminal sees of it; no option is ignored."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.cli import postrank
from postrank.cli.current import NoSuchLog
from postrank.laptop.setup.current_run import AlreadyRunning, CurrentRun, NotRunning, describe, only_run
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options, UnusedPosts, WrongQuotes, files_of_line
from postrank.laptop.setup.ports import PortTaken, any_free
from postrank.laptop.setup.resume import OtherPosts, keep_record, resumed

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from postrank.laptop.setup.current_run import CurrentRun, describe, only_run
try:
    with only_run(Path(sys.argv[1])) as path:
        describe(path, CurrentRun(ui="http://127.0.0.1:1", aws="http://127.0.0.1:2", source="replay", posts=("a b",)))
        time.sleep(600)
except KeyboardInterrupt:
    pass
"""


class Holder:
    """Another process that holds a folder as `postrank up` does."""

    def __init__(self, var: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", HOLD, str(var)])
        wait_for(lambda: _is_up(var), timeout=60, what="the first run")

    def __enter__(self) -> "Holder":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def _is_up(var: Path) -> bool:
    try:
        return bool(CurrentRun.of(var).pid)
    except NotRunning:
        return False


def test_a_second_run_in_a_checkout_is_rejected_and_names_the_first(tmp_path: Path) -> None:
    ports = ["--port", str(any_free()), "--aws-port", str(any_free())]
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "streamer.log").write_text("of the first run\n")
    with Holder(tmp_path) as first:
        words = ["up", "--once", "--project", str(ROOT), "--var", str(tmp_path), *ports]
        second = subprocess.run(
            [sys.executable, "-m", "postrank", *words], capture_output=True, text=True, check=False, timeout=patient(60)
        )
    assert second.returncode == 2
    assert f"process {first.process.pid}" in second.stderr
    assert "UI at http://127.0.0.1:1" in second.stderr
    assert (tmp_path / "log" / "streamer.log").exists(), "the second run deleted files of the first"


def test_a_run_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    with Holder(tmp_path) as first:
        first.process.kill()
        first.process.wait()
        with pytest.raises(NotRunning):
            CurrentRun.of(tmp_path)
        with only_run(tmp_path) as path, pytest.raises(AlreadyRunning, match="just starting"), only_run(path.parent):
            pass


def test_a_run_is_described_while_it_is_up_and_not_afterwards(tmp_path: Path) -> None:
    run = CurrentRun(ui="http://127.0.0.1:1", aws="http://127.0.0.1:2", source="replay", posts=("a",))
    with only_run(tmp_path) as path:
        describe(path, run)
        assert CurrentRun.of(tmp_path) == run
    with pytest.raises(NotRunning, match="make run"):
        CurrentRun.of(tmp_path)


def test_a_second_terminal_sees_the_run_and_stops_it(tmp_path: Path) -> None:
    with Holder(tmp_path) as first:
        shown = CliRunner().invoke(postrank, ["status", "--var", str(tmp_path)])
        assert shown.exit_code == 0, shown.output
        assert f"process {first.process.pid}" in shown.output
        assert "replay" in shown.output
        assert "does not answer" in shown.output
        stopped = CliRunner().invoke(postrank, ["stop", "--var", str(tmp_path)])
        assert stopped.exit_code == 0, stopped.output
        assert first.process.wait(timeout=patient(30)) in (0, -signal.SIGTERM)
    with pytest.raises(NotRunning):
        CliRunner().invoke(postrank, ["status", "--var", str(tmp_path)], catch_exceptions=False)


def test_logs_are_listed_shown_and_named_on_a_miss(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "streamer.log").write_text("".join(f"line {number}\n" for number in range(100)))
    listed = CliRunner().invoke(postrank, ["logs", "--var", str(tmp_path)])
    assert "streamer" in listed.output
    shown = CliRunner().invoke(postrank, ["logs", "streamer", "-n", "2", "--var", str(tmp_path)])
    assert shown.output == "line 98\nline 99\n"
    with pytest.raises(NoSuchLog, match="did you mean 'streamer'"):
        CliRunner().invoke(postrank, ["logs", "steamer", "--var", str(tmp_path)], catch_exceptions=False)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    return layout


def _files(folder: Path, *names: str) -> tuple[Path, ...]:
    for name in names:
        (folder / name).touch()
    return tuple(folder / name for name in names)


def test_a_run_that_resumes_has_the_source_and_files_of_before(layout: Layout, tmp_path: Path) -> None:
    posts = _files(tmp_path, "a.ndjson", "b.ndjson")
    keep_record(Options(project=ROOT, posts=posts), layout)
    for options in (Options(project=ROOT, keep=True), Options(project=ROOT, keep=True, posts=posts, source="replay")):
        assert resumed(options, layout).files(layout) == posts
    keep_record(Options(project=ROOT, source="bluesky"), layout)
    assert resumed(Options(project=ROOT, keep=True), layout).kind == "bluesky"


def test_a_run_that_resumes_rejects_other_posts_and_names_both(layout: Layout, tmp_path: Path) -> None:
    first, second = _files(tmp_path, "a.ndjson", "b.ndjson")
    keep_record(Options(project=ROOT, posts=(first,)), layout)
    for options in (
        Options(project=ROOT, keep=True, posts=(second,)),
        Options(project=ROOT, keep=True, posts=(first, second)),
        Options(project=ROOT, keep=True, source="bluesky"),
    ):
        with pytest.raises(OtherPosts, match=r"a\.ndjson") as rejected:
            resumed(options, layout)
        assert ("b.ndjson" if options.posts else "bluesky") in str(rejected.value)
    fresh = Options(project=ROOT, posts=(second,))
    assert resumed(fresh, layout) == fresh


def test_posts_with_a_live_source_are_rejected(tmp_path: Path) -> None:
    posts = _files(tmp_path, "a.ndjson")
    with pytest.raises(UnusedPosts, match="bluesky reads no files"):
        Options(project=ROOT, var=tmp_path / "var", source="bluesky", posts=posts).check()


@pytest.mark.parametrize("setting", ["PORT", "AWS_PORT"])
def test_a_taken_port_is_named_with_the_variable_that_chooses_it(setting: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = {"PORT": any_free(), "AWS_PORT": any_free(), setting: taken.getsockname()[1]}
        options = Options(project=ROOT, var=tmp_path / "var", port=ports["PORT"], aws_port=ports["AWS_PORT"])
        with pytest.raises(PortTaken, match=rf"with {setting} \("):
            options.check()


def test_a_line_of_files_may_have_blanks_quotes_and_wildcards(tmp_path: Path) -> None:
    blank, plain, other = _files(tmp_path, "two words.ndjson", "a.ndjson", "b.ndjson")
    assert files_of_line("") == ()
    assert files_of_line(str(blank)) == (blank,)
    assert files_of_line(f"'{blank}' {plain}") == (blank, plain)
    assert files_of_line(f"{plain} {other}") == (plain, other)
    pattern = files_of_line(f"{tmp_path}/?.ndjson")
    assert Options(project=ROOT, posts=pattern).files(Layout.of(ROOT)) == (plain, other)
    assert files_of_line(f"{tmp_path}/none-*") == (tmp_path / "none-*",)
    with pytest.raises(WrongQuotes, match="quote names with blanks"):
        files_of_line("it's")


def _make(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("word", ["KEPP=1", "post=a.ndjson", "NETWORK=x"])
def test_make_rejects_a_variable_that_nothing_takes(word: str) -> None:
    ended = _make("--dry-run", "run", word)
    assert ended.returncode == 2
    assert f"unknown variable {word.split('=', maxsplit=1)[0]}: make takes PORT AWS_PORT POSTS" in ended.stderr


def test_make_hands_on_every_variable_that_run_takes() -> None:
    variables = ("PORT=9", "AWS_PORT=8", "SOURCE=bluesky", "ONCE=1", "KEEP=1", "TOP=7", "POSTS=two words.ndjson")
    printed = _make("--dry-run", "run", *variables)
    assert printed.returncode == 0, printed.stderr
    for option in ("--port 9", "--aws-port 8", "--source bluesky", "--once", "--keep", "--top 7", "--posts-line"):
        assert option in printed.stdout


@pytest.mark.parametrize(("version", "status"), [("3.10.1", 2), ("3.14.0", 2), ("3.12.4", 0)])
def test_a_python_that_is_too_old_or_too_new_is_named(version: str, status: int, tmp_path: Path) -> None:
    """Runs the recipe's own check with a Python that says it is another version."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = makefile[makefile.index("\t@$(PYTHON) -c") :].split("\n\t@mkdir")[0].replace("\t@", "\t", 1)
    (tmp_path / "Makefile").write_text(f"all:\n{check}\n", encoding="utf-8")
    python = tmp_path / "python"
    numbers = tuple(int(part) for part in version.split("."))
    python.write_text(
        f"#!{sys.executable}\nimport sys\nversion = {numbers}\nsys.version_info = version\n"
        f"if sys.argv[1] == '--version':\n    print('Python {version}')\nelse:\n    exec(sys.argv[2])\n"
    )
    python.chmod(0o700)
    ended = subprocess.run(
        ["make", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == status, ended.stderr
    assert (f"is Python {version}: name one with PYTHON=" in ended.stdout) == bool(status)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of an export, as a run leaves it."""
    run = tmp_path / "var" / "results" / "rankings" / "run=one"
    (run / "granularity=all").mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    (run / "granularity=all" / "ranked_authors.json").write_text(
        json.dumps([{"network": "x", "rank": 1, "window_start": "a", "window_end": "b"}])
    )
    (run.parent / "latest.json").write_text(json.dumps({"run": "one"}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTRANK_ACCOUNT", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["results", "--run", "two"], "no run 'two' was exported; exported runs: one"),
        (["report", "--run", "two"], "no run 'two' was exported; exported runs: one"),
        (["results", "--network", "mastodn"], "no author of the network 'mastodn'; its networks: x"),
    ],
)
def test_a_run_or_network_that_is_not_there_gets_those_that_are(words: list[str], message: str, checkout: Path) -> None:
    result = CliRunner().invoke(postrank, words)
    assert message in str(result.exception)
    assert CliRunner().invoke(postrank, ["results", "--format", "json", "--network", "x"]).exit_code == 0
