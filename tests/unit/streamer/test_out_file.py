"""`postrank stream --out FILE`: one file of posts, without anything of AWS."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.cli.stream import stream
from postrank.errors import PostrankError
from tests.support.lake.ranked_lake import post

POSTS = [
    post("1", "ann", "2026-11-23T10:00:00.000Z", hashtags=["Rain", "Wind"], text="=1+1"),
    post("2", "bob", "2026-11-23T10:00:59.000Z", text='two\nlines, "quoted"'),
]


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "POSTRANK_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in POSTS), encoding="utf-8")
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(stream, [str(word) for word in words], catch_exceptions=True)


def lines(text: bytes) -> list[str]:
    return [json.loads(line)["post_id"] for line in text.splitlines()]


def test_lines_are_the_records_of_the_contract(archive: Path, tmp_path: Path) -> None:
    for name in ("out.ndjson", "out.ndjson.gz"):
        result = run("--source", "replay", "--file", archive, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert f"2 lines (2 posts) in {tmp_path / name}" in result.output
    assert lines((tmp_path / "out.ndjson").read_bytes()) == ["1", "2"]
    assert lines(gzip.decompress((tmp_path / "out.ndjson.gz").read_bytes())) == ["1", "2"]
    assert [path.name for path in tmp_path.glob("out.ndjson.*")] == ["out.ndjson.gz"]


def test_tables_have_the_contract_s_columns(archive: Path, tmp_path: Path) -> None:
    for name in ("out.parquet", "out.csv"):
        assert run("--source", "replay", "--file", archive, "--out", tmp_path / name).exit_code == 0
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table["text"].to_pylist() == ["=1+1", 'two\nlines, "quoted"']
    assert table["hashtags"].to_pylist()[0] == ["Rain", "Wind"]
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    rows = pyarrow.csv.read_csv(tmp_path / "out.csv", parse_options=options)
    assert rows.column_names == table.column_names
    assert rows["text"].to_pylist() == ["'=1+1", 'two\nlines, "quoted"']
    assert rows["hashtags"].to_pylist()[0] == "Rain Wind"


def test_rejected_lines_are_kept_beside_the_file(archive: Path, tmp_path: Path) -> None:
    archive.write_text(archive.read_text() + '{"post_id": 1}\n', encoding="utf-8")
    result = run("--source", "replay", "--file", archive, "--out", tmp_path / "out.ndjson")
    assert "1 rejected, the reasons in" in result.output
    (reject,) = (tmp_path / "out.ndjson.rejects.ndjson").read_text().splitlines()
    assert json.loads(reject)["line"] == '{"post_id": 1}'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_command_goes_on_where_it_was(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text(json.dumps(POSTS[0]) + "\n", encoding="utf-8")
    out = tmp_path / "out.ndjson"
    command = [sys.executable, "-m", "postrank", "stream", "--source", "tail", "--file", str(log), "--out", str(out)]
    records = tmp_path / "out.ndjson.collecting" / "records"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wait_for(lambda: any(path.stat().st_size for path in records.glob("*/posts*")), what="a record")
        process.send_signal(number)
        process.wait(patient(30))
        assert process.stdout is not None
        output = process.stdout.read()
    if number == signal.SIGTERM:
        assert "stopped before the source's end" in output
        assert lines(out.read_bytes()) == ["1"]
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(POSTS[1]) + "\n")
    again = subprocess.run([*command, "--for", "5"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert sorted(set(lines(out.read_bytes()))) == ["1", "2"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "posts.xlsx", "--source", "bluesky"], "must end in .ndjson, .ndjson.gz, .csv or .parquet"),
        (["--out", "there.csv", "--source", "bluesky"], "there.csv exists already: remove it, or name another file"),
        (["--out", "posts.csv"], "name one of the two"),
        (["--out", "posts.csv", "--source", "replay"], "source.files is missing"),
        (["--out", "posts.csv", "--source", "bluesky", "--config", "a.toml"], "name one of the two"),
        (["--out", "posts.csv", "--config", "a.toml", "--file", "b"], "--file is for --source"),
        (["--source", "bluesky"], "--source and --file are for --out"),
        ([], "--config is missing"),
    ],
)
def test_what_cannot_be_is_rejected_before_anything_is_written(words: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    result = run(*words)
    assert isinstance(result.exception, PostrankError)
    assert sentence in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]
