"""`postrank backfill` as a DAG or a person runs it: a process, real servers, what arrives and what the ledger says."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.patience import patient
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.fakes.mastodon import TOKEN as MASTODON_TOKEN
from tests.support.fakes.mastodon import fake_mastodon, status
from tests.support.fakes.x import TOKEN as X_TOKEN
from tests.support.fakes.x import fake_x, post
from tests.support.streaming.streamers import ledger

SPAN = ("2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z")


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


def backfill(
    tmp_path: Path, aws: AwsServer, source: str, config: str, *more: str, span: tuple[str, ...] = SPAN
) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "streamer.toml"
    path.write_text(f'state = "{tmp_path}/state"\ncollector = "c"\n{config}', encoding="utf-8")
    times = ["--from", span[0], "--to", span[1]] if span else []
    words = ["--source", source, *times, "--config", str(path), *more]
    told = {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return subprocess.run(
        [sys.executable, "-m", "postrank", "backfill", *words],
        env={**os.environ, **told, "POSTRANK_ACCOUNT": "123456789012", "AWS_REGION": "us-east-1", "X_TOKEN": X_TOKEN},
        capture_output=True,
        check=False,
        text=True,
        timeout=patient(60),
    )


def gaps(aws: AwsServer) -> list[dict[str, Any]]:
    found = [body for key, body in aws.objects.items() if "ledgers/gaps/" in key]
    return [json.loads(line) for body in found for line in body.splitlines()]


def x_config(url: str, **more: Any) -> str:
    options = {"bearer_token": "env:X_TOKEN", "host": url, "gap_query": "cats", "manage_rules": False, "margin": 0}
    options |= {"daily_budget": 10.0, "monthly_budget": 10.0, **more}
    return '[source]\nkind = "x"\n' + "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())


def test_recent_search_closes_a_gap_and_the_ledger_says_so(aws: AwsServer, tmp_path: Path) -> None:
    with fake_x(found=[post(number) for number in range(130)]) as x:
        done = backfill(tmp_path, aws, "x-search", x_config(x.url))
        assert x.search_queries[0]["start_time"] == ["2026-11-01T05:00:00Z"]
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["read"], summary["delivered"], summary["recovered_by"]) == (130, 130, "recent-search")
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(number) for number in range(130)}
    [row] = gaps(aws)
    assert (row["source"], row["recovered_by"], row["gap_from"]) == ("x", "recent-search", "2026-11-01T05:00:00.000Z")
    assert json.loads((tmp_path / "state" / "x" / "spend.json").read_text())
    assert X_TOKEN not in done.stdout + done.stderr


def test_a_search_for_something_else_delivers_and_closes_no_gap(aws: AwsServer, tmp_path: Path) -> None:
    with fake_x(found=[post(number) for number in range(120)]) as x:
        config = x_config(x.url).replace("gap_query", "# gap_query")
        done = backfill(tmp_path, aws, "x-search", config, "--query", "birds lang:en")
        assert done.returncode == 0, done.stderr
        assert {query["query"][0] for query in x.search_queries} == {"birds lang:en"}
        assert "give it one: --query" in backfill(tmp_path, aws, "x-search", config).stderr
    assert len(aws.lines("-posts")) == 120
    assert json.loads(done.stdout)["recovered_by"] is None
    assert gaps(aws) == []


def test_a_budget_that_is_spent_ends_it_after_delivering_what_was_paid_for(aws: AwsServer, tmp_path: Path) -> None:
    with fake_x(found=[post(number) for number in range(130)]) as x:
        done = backfill(tmp_path, aws, "x-search", x_config(x.url, daily_budget=0.5))
    assert done.returncode != 0
    assert "spend guard" in done.stderr
    assert len(aws.lines("-posts")) == 100
    assert gaps(aws) == []


def test_ids_become_posts_again_and_those_that_are_gone_tombstones(aws: AwsServer, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("# kept from an earlier study\n" + "".join(f"{number}\n" for number in range(250)), encoding="utf-8")
    gone = {"7": "resource-not-found", "8": "not-authorized-for-resource"}
    found = [post(number) for number in range(250) if str(number) not in gone]
    with fake_x(found=found, gone=gone, trouble=[(503, None, {})]) as x:
        done = backfill(tmp_path, aws, "x-ids", x_config(x.url), "--file", str(ids), span=())
    assert done.returncode == 0, done.stderr
    assert x.count("GET", "/2/tweets") == 4
    kinds = {line["post_id"]: line["kind"] for line in aws.lines("-posts")}
    assert kinds == {str(number): "delete" if str(number) in gone else "post" for number in range(250)}
    assert gaps(aws) == []
    assert sum(json.loads((tmp_path / "state" / "x" / "spend.json").read_text()).values()) == 2 * 248


def test_ids_stop_at_the_budget_and_wrong_lists_are_told(aws: AwsServer, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("".join(f"{number}\n" for number in range(250)), encoding="utf-8")
    with fake_x(found=[post(number) for number in range(250)]) as x:
        done = backfill(tmp_path, aws, "x-ids", x_config(x.url, daily_budget=1.2), "--file", str(ids), span=())
    assert done.returncode != 0
    assert "spend guard" in done.stderr
    assert len(aws.lines("-posts")) == 200
    ids.write_text("12\nnone\n", encoding="utf-8")
    assert "'none' is no id" in backfill(tmp_path, aws, "x-ids", x_config(x.url), "--file", str(ids), span=()).stderr
    ids.write_text("# empty\n", encoding="utf-8")
    assert "holds nothing" in backfill(tmp_path, aws, "x-ids", x_config(x.url), "--file", str(ids), span=()).stderr
    assert "needs --from and --to" in backfill(tmp_path, aws, "x-search", x_config(x.url), span=()).stderr


def test_timelines_of_users_are_read_page_by_page(aws: AwsServer, tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("@user7\nuser8\nnobody\n", encoding="utf-8")
    found = [post(number, str(7 + number % 3)) for number in range(400)]
    with fake_x(found=found) as x:
        done = backfill(tmp_path, aws, "x-timelines", x_config(x.url), "--file", str(handles))
    assert done.returncode == 0, done.stderr
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(400) if n % 3 < 2}
    assert x.search_queries[0]["start_time"] == ["2026-11-01T05:00:00Z"]
    assert json.loads(done.stdout)["ignored"] == 1
    handles.write_text("@user7\nno such!\n", encoding="utf-8")
    assert "'no such!' is no handle of X" in (
        backfill(tmp_path, aws, "x-timelines", x_config(x.url), "--file", str(handles)).stderr
    )


def test_timelines_close_a_gap(aws: AwsServer, tmp_path: Path) -> None:
    first = 1793509200000 << 16  # 2026-11-01T05:00:00Z
    within = [status(first + 1 + number) for number in range(60)]
    late = status(first + (7200000 << 16), created_at="2026-11-01T07:00:00.000Z")
    with fake_mastodon(statuses=[status(first - 5), *within, late]) as instance:
        config = (
            f'[source]\nkind = "mastodon"\n[[source.instances]]\nurl = "{instance.url}"\ntoken = "{MASTODON_TOKEN}"\n'
        )
        done = backfill(tmp_path, aws, "mastodon", config)
    assert done.returncode == 0, done.stderr
    assert {line["post_id"] for line in aws.lines("-posts")} == {one["id"] for one in within}
    assert [row["recovered_by"] for row in gaps(aws)] == ["timeline"]


def test_the_json_of_what_is_read_again_is_kept_where_it_is_asked_for(aws: AwsServer, tmp_path: Path) -> None:
    with fake_x(found=[post(number) for number in range(3)]) as x:
        done = backfill(tmp_path, aws, "x-search", x_config(x.url) + "[raw]\nkeep = true\n")
    assert done.returncode == 0, done.stderr
    bodies = [gzip.decompress(body) for key, body in aws.objects.items() if "/raw/json/dt=" in key]
    rows = [json.loads(line) for body in bodies for line in body.splitlines()]
    assert {row["post_id"] for row in rows} == {"0", "1", "2"}
    assert {json.loads(row["json"])["includes"]["users"][0]["username"] for row in rows} == {"user7"}
    assert X_TOKEN not in json.dumps(rows)
    [hop] = [row for row in ledger(aws, "hop_counts") if row["hop"] == "originals"]
    assert (hop["received"], hop["delivered"], hop["spooled"]) == (3, 3, 0)


def test_an_archive_gives_its_posts_of_the_span_and_every_delete(aws: AwsServer, tmp_path: Path) -> None:
    base = {"network": "x", "author_id": "1"}
    lines: list[dict[str, Any]] = [
        {"kind": "post", "post_id": "early", "posted_at": "2026-11-01T04:59:59.999Z", **base},
        {"kind": "post", "post_id": "within", "posted_at": "2026-11-01T05:00:00.000Z", **base},
        {"kind": "post", "post_id": "after", "posted_at": "2026-11-01T06:00:00.000Z", **base},
        {"kind": "delete", "post_id": "gone", "network": "x"},
        {"kind": "post", "post_id": "large", "posted_at": "2026-11-01T05:30:00Z", "text": "t" * 1_000_001, **base},
    ]
    file = tmp_path / "archive.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{cut\n", encoding="utf-8")
    config = '[source]\nkind = "bluesky"\n'
    done = backfill(tmp_path, aws, "archive", config, "--file", str(file))
    assert done.returncode == 0, done.stderr
    assert {line["post_id"] for line in aws.lines("-posts")} == {"within", "gone"}
    summary = json.loads(done.stdout)
    assert (summary["rejected"], summary["outside_the_span"], summary["delivered"]) == (2, 2, 2)
    assert summary["read"] == 6
    large = next(row for row in ledger(aws, "rejects") if "that a record holds" in row["reason"])
    assert large["source"].startswith("archive.ndjson:")


def test_requests_that_cannot_be_done_say_why(aws: AwsServer, tmp_path: Path) -> None:
    done = backfill(tmp_path, aws, "mastodon", '[source]\nkind = "bluesky"\n')
    assert done.returncode != 0
    assert "needs a configuration whose source is mastodon" in done.stderr
