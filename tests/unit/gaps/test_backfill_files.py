"""`postrank backfill --out FILE`, and reads that are killed: what they got is kept, and nothing is paid for twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import aws_server
from tests.support.fakes.x import TOKEN, FakeX, fake_x, post

SPAN = ("--from", "2026-11-01T05:00:00Z", "--to", "2026-11-01T06:00:00Z")
ARCHIVE = [
    {"kind": "post", "post_id": "early", "posted_at": "2026-11-01T04:59:59.999Z", "network": "x", "author_id": "1"},
    {
        "kind": "post",
        "post_id": "within",
        "posted_at": "2026-11-01T05:00:00.000Z",
        "network": "x",
        "author_id": "1",
        "text": "=1+1",
    },
]


def environ(**more: str) -> dict[str, str]:
    """The environment without a name of AWS or an account."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POSTRANK_"))}
    return {**plain, "X_TOKEN": TOKEN, **more}


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "postrank", "backfill", *map(str, words)]


def backfill(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=environ(**more), capture_output=True, check=False, text=True, timeout=patient(60)
    )


def configured(folder: Path, x: FakeX, **more: Any) -> Path:
    path = folder / "streamer.toml"
    options = {"bearer_token": "env:X_TOKEN", "host": x.url, "gap_query": "cats", "manage_rules": False, "margin": 0}
    options |= {"daily_budget": 10.0, "monthly_budget": 10.0, **more}
    source = "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())
    path.write_text(f'state = "{folder}/state"\ncollector = "c"\n[source]\nkind = "x"\n{source}', encoding="utf-8")
    return path


def ids_file(folder: Path, ids: Sequence[int]) -> Path:
    path = folder / "ids.txt"
    path.write_text("".join(f"{number}\n" for number in ids), encoding="utf-8")
    return path


def spent(folder: Path) -> int:
    counts: dict[str, int] = json.loads((folder / "state" / "x" / "spend.json").read_bytes())
    return max(counts.values())


def test_an_archive_becomes_a_file_without_configuration_or_account(tmp_path: Path) -> None:
    archive = tmp_path / "archive.ndjson"
    archive.write_text("".join(json.dumps(line) + "\n" for line in ARCHIVE) + "{cut\n", encoding="utf-8")
    for name in ("posts.parquet", "posts.csv"):
        done = backfill("--source", "archive", *SPAN, "--file", archive, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "AWS" not in done.stderr
        assert json.loads(done.stdout)["file"] == str(tmp_path / name)
    assert pyarrow.parquet.read_table(tmp_path / "posts.parquet")["text"].to_pylist() == ["=1+1"]
    assert pyarrow.csv.read_csv(tmp_path / "posts.csv")["text"].to_pylist() == ["'=1+1"]
    assert '"{cut' in (tmp_path / "posts.csv.rejects.ndjson").read_text()
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.is_dir()) == []


def test_a_killed_read_of_ids_continues_and_pays_for_no_id_twice(tmp_path: Path) -> None:
    out = tmp_path / "posts.ndjson"
    troubled: list[tuple[int, Any, dict[str, str]]] = [(503, None, {})] * 50
    with fake_x(found=[post(number) for number in range(250)], trouble_later=troubled) as x:
        words = ("--source", "x-ids", "--config", configured(tmp_path, x), "--file", ids_file(tmp_path, range(250)))
        records = tmp_path / "posts.ndjson.collecting" / "records" / "open" / "posts.ndjson.gz"
        with subprocess.Popen(command(*words, "--out", out), env=environ(), stdout=subprocess.DEVNULL) as process:
            wait_for(lambda: records.exists() and records.stat().st_size > 0, what="a page of posts")
            process.send_signal(signal.SIGKILL)
            process.wait(patient(30))
        x.trouble.clear()
        assert not out.exists()
        done = backfill(*words, "--out", out)
        assert done.returncode == 0, done.stderr
        assert x.paid == dict.fromkeys(map(str, range(250)), 1)
    assert {json.loads(line)["post_id"] for line in out.read_bytes().splitlines()} == set(map(str, range(250)))
    assert spent(tmp_path) in (250, 350)  # a page that X may have answered counts as paid for


def test_what_was_paid_for_is_delivered_once_aws_is_back(tmp_path: Path) -> None:
    log = tmp_path / "log"
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    account["POSTRANK_ACCOUNT"] = "123456789012"
    with fake_x(found=[post(number) for number in range(120)]) as x:
        words = ("--source", "x-ids", "--config", configured(tmp_path, x), "--file", ids_file(tmp_path, range(120)))
        away = environ(AWS_ENDPOINT_URL="http://127.0.0.1:9", **account)
        with (
            log.open("wb") as file,
            subprocess.Popen(command(*words), env=away, stderr=file, stdout=subprocess.DEVNULL) as process,
        ):
            wait_for(lambda: b"AWS is away" in log.read_bytes(), what="a page that AWS does not take")
            process.send_signal(signal.SIGKILL)
            process.wait(patient(30))
        with aws_server() as aws:
            done = backfill(*words, AWS_ENDPOINT_URL=aws.url, **account)
            assert done.returncode == 0, done.stderr
            assert {line["post_id"] for line in aws.lines("-posts")} == set(map(str, range(120)))
            again = backfill(*words, AWS_ENDPOINT_URL=aws.url, **account)
            assert (json.loads(again.stdout)["ignored"], json.loads(again.stdout)["delivered"]) == (120, 0)
        assert x.paid == dict.fromkeys(map(str, range(120)), 1)
    assert spent(tmp_path) == 120
    assert TOKEN not in log.read_text() + done.stdout + done.stderr


def test_a_search_continues_with_the_page_after_the_last_one_delivered(tmp_path: Path) -> None:
    out = tmp_path / "posts.ndjson"
    with fake_x(found=[post(number) for number in range(130)]) as x:
        config = configured(tmp_path, x, daily_budget=0.5)
        first = backfill("--source", "x-search", *SPAN, "--config", config, "--out", out)
        assert first.returncode == 2, first.stderr
        assert "spend guard" in first.stderr
        config = configured(tmp_path, x)
        other = backfill("--source", "x-search", *SPAN, "--query", "dogs", "--config", config, "--out", out)
        assert "holds what another command collected" in other.stderr
        done = backfill("--source", "x-search", *SPAN, "--config", config, "--out", out)
        assert done.returncode == 0, done.stderr
        assert [query.get("next_token") for query in x.search_queries] == [None, ["100"]]
    assert len(out.read_bytes().splitlines()) == 130
    assert spent(tmp_path) == 130
