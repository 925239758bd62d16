"""`make run` as its user meets it: really through every hop, nothing lost, idempotent, stopped without a trace."""

import csv
import io
import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from localaws.testing.instances import alive
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.laptop.services import login
from tests.support.stack.browser import browser, keep_picture, log_in
from tests.support.stack.laptop_run import RANKED_SECONDS, ROOT, Stack, command, running_stack

pytestmark = [pytest.mark.system, pytest.mark.in_file_order, pytest.mark.timeout(patient(600))]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        running.wait_until_ranked()
        yield running


def latest(stack: Stack) -> dict[str, Any]:
    s3 = stack.client("s3")
    bucket = next(
        one["Name"] for one in s3.list_buckets()["Buckets"] if "-results-" in one["Name"] and "query" not in one["Name"]
    )
    pointer = json.loads(s3.get_object(Bucket=bucket, Key="rankings/latest.json")["Body"].read())
    files = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"rankings/run={pointer['run']}/"):
        for entry in page["Contents"]:
            name = entry["Key"].split("/", 2)[2]
            files[name] = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
    return {"run": pointer["run"], "files": files, "manifest": json.loads(files["manifest.json"])}


def test_the_top_authors_and_the_addresses_are_printed(stack: Stack) -> None:
    said = stack.said()
    assert "sim_vika0" in said
    assert stack.ui in said
    assert "leaderboard" in said


def test_the_password_reaches_no_log_unless_a_terminal_shows_it(stack: Stack) -> None:
    password = login.password(stack.passwords)
    assert f"admin, with the password in {stack.passwords}" in stack.said()
    logs = [stack.output, *(stack.var / "log").rglob("*.log")]
    assert not [path for path in logs if password in path.read_text(encoding="utf-8", errors="replace")]


def test_airflow_answers_only_who_logged_in_under_a_name_of_its_own(stack: Stack) -> None:
    for path in ("/api/v2/dags", "/api/v2/connections", "/postrank/leaderboard", "/postrank/api/v1/runs/latest"):
        assert httpx.get(f"{stack.ui}{path}", timeout=patient(30)).status_code == 401, path
        assert stack.http().get(path).is_success, path
        assert stack.http().get(path, headers={"Host": "rebound.example"}).status_code == 403, path
    assert httpx.get(f"{stack.ui}/auth/token", timeout=patient(30)).status_code == 403


def test_a_page_on_another_port_cannot_use_the_session(stack: Stack) -> None:
    for headers in ({"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "same-site"}):
        response = stack.http().patch("/api/v2/dags/rank_authors", json={"is_paused": True}, headers=headers)
        assert response.status_code == 403, headers


def test_every_hop_is_in_the_call_log_in_its_order(stack: Stack) -> None:
    first: dict[str, int] = {}
    for place, call in enumerate(stack.calls()):
        for hop, matches in HOPS.items():
            if hop not in first and matches(call):
                first[hop] = place
    assert list(first) == list(HOPS), f"seen in this order: {list(first)}"


def _is(service: str, action: str, resource: str = "") -> Any:
    return lambda call: call["service"] == service and call["action"] == action and resource in str(call["resource"])


HOPS = {
    "records": _is("kinesis", "PutRecords", "-posts"),
    "delivered object": _is("s3", "PutObject", "/raw/posts/dt="),
    "crawl": _is("glue", "StartCrawler"),
    "query": _is("athena", "StartQueryExecution"),
    "export": _is("s3", "PutObject", "/rankings/run="),
    "pointer": _is("s3", "PutObject", "rankings/latest.json"),
}


def test_the_run_says_in_its_note_what_it_did_and_its_tasks_link_to_it(stack: Stack) -> None:
    run = latest(stack)["manifest"]["run_id"]
    path = f"/api/v2/dags/rank_authors/dagRuns/{run}"
    note = stack.http().get(path).json()["note"]
    assert re.search(r"ranked \d+ hours, [\d,]+ posts; ingested [\d,]+ lines, [\d,]+ late", note), note
    assert re.search(r"; version \d+\.\d+\.\d+", note), note
    pages = {"author_ranking": "-- author_ranking: one row", "publish_ranking": "manifest.json", "write_report": "<h1"}
    for task, content in pages.items():
        query = {"map_index": 0} if task == "author_ranking" else {}
        links = stack.http().get(f"{path}/taskInstances/{task}/links", params=query).json()["extra_links"]
        assert links, task
        for name, link in links.items():
            page = stack.http().get(link)
            assert page.is_success, (task, name, link)
            assert httpx.get(f"{stack.ui}{link}", timeout=patient(30)).status_code == 401, link
            assert content in page.text or name == "Leaderboard", (task, name)


@pytest.mark.slow
def test_a_second_run_of_the_same_interval_gives_the_same_csv_but_for_the_revision(stack: Stack) -> None:
    first = latest(stack)
    interval = first["manifest"]["interval"]
    conf = {"interval_start": interval["start"], "interval_end": interval["end"], "publish": True}
    assert stack.run_dag("rank_authors", conf) == "success"
    second = latest(stack)
    assert second["run"] != first["run"]
    names = [name for name in first["files"] if name.endswith(".csv")]
    assert names
    for name in names:
        assert _without_revision(second["files"][name]) == _without_revision(first["files"][name])


def _without_revision(text: bytes) -> list[list[str]]:
    rows = list(csv.reader(io.StringIO(text.decode("utf-8"), newline="")))
    column = rows[0].index("revision")
    return [row[:column] + row[column + 1 :] for row in rows]


@pytest.mark.parametrize(
    ("conf", "reason"),
    [
        ({"interval_start": "yesterday'; drop table posts; --"}, "interval_start"),
        (
            {"interval_start": "2026-11-24T06:00:00Z", "interval_end": "2026-11-24T05:00:00Z"},
            "interval_end: 2026-11-24T05:00:00Z is not after interval_start, 2026-11-24T06:00:00Z",
        ),
    ],
)
def test_a_wrong_parameter_is_refused_when_it_is_triggered(stack: Stack, conf: dict[str, str], reason: str) -> None:
    body = {"logical_date": None, "conf": conf}
    answer = stack.http().post("/api/v2/dags/rank_authors/dagRuns", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]


def test_the_pools_are_there_that_tasks_name(stack: Stack) -> None:
    found = {pool["name"] for pool in stack.http().get("/api/v2/pools").json()["pools"]}
    assert set(json.loads((ROOT / "include" / "pools.json").read_text(encoding="utf-8"))) < found


@pytest.mark.slow
def test_a_backfill_over_a_day_of_hours_runs_every_hour(stack: Stack) -> None:
    day = ["--from-date", "2026-03-14T00:00:00+00:00", "--to-date", "2026-03-14T23:59:59+00:00"]
    words = [sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", "refresh_catalog", *day]
    script = f". {shlex.quote(str(stack.var / 'airflow.env'))} && exec {shlex.join(words)} --max-active-runs 4"
    created = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert created.returncode == 0, created.stderr

    def states() -> list[str]:
        query = {"limit": 100, "run_type": "backfill"}
        runs = stack.http().get("/api/v2/dags/refresh_catalog/dagRuns", params=query).json()
        return [run["state"] for run in runs["dag_runs"]]

    wait_for(lambda: {*states()} <= {"success", "failed"}, timeout=1200, what="the end of the backfill", every=1)
    assert states() == ["success"] * 24


def test_the_form_in_the_ui_starts_a_run_with_what_was_typed(stack: Stack) -> None:
    with browser() as page:
        log_in(page, stack.ui, login.USER, login.password(stack.passwords))
        page.get(f"{stack.ui}/dags/rank_authors")
        _shown(page, "[data-testid=trigger-dag-button]").click()
        top = _shown(page, "[role=dialog] input[name=element_top]")
        top.send_keys(Keys.CONTROL, "a")
        top.send_keys("7", Keys.TAB)
        keep_picture(page, "trigger-form")
        buttons = page.find_elements(By.CSS_SELECTOR, "[role=dialog] button")
        next(button for button in buttons if button.text == "Trigger").click()
        wait_for(lambda: "/runs/manual" in page.current_url, timeout=60, what="the run's page")
        run_id = unquote(page.current_url.split("/runs/")[1].split("?")[0])
    run = stack.http().get(f"/api/v2/dags/rank_authors/dagRuns/{run_id}").json()
    assert run["conf"]["top"] == 7


def _shown(page: Any, css: str) -> Any:
    """The first element that can be seen, once there is one."""
    return wait_for(
        lambda: next((one for one in page.find_elements(By.CSS_SELECTOR, css) if one.is_displayed()), None),
        timeout=60,
        what=css,
    )


def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    ours = {str(pid) for pid in _descendants(stack.process.pid)}
    wide = [line for line in listening.splitlines() if line.split()[3].startswith(("0.0.0.0", "*", "[::]"))]
    assert not [line for line in wide if any(f"pid={pid}," in line for pid in ours)]


def test_ctrl_c_stops_everything(stack: Stack) -> None:
    processes = _descendants(stack.process.pid)
    assert len(processes) > 5
    assert stack.interrupt() == 0
    assert not [pid for pid in processes if alive(pid)]
    for port in (stack.ui_port, stack.aws_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in children for one in (int(child), *_descendants(int(child)))]


@pytest.mark.slow
def test_once_ends_by_itself_and_leaves_the_results(tmp_path: Path) -> None:
    posts = tmp_path / "few.ndjson"
    posts.write_text(
        "".join(json.dumps(_post(number)) + "\n" for number in range(50)) + "{not json\n", encoding="utf-8"
    )
    with running_stack(tmp_path, [posts], "--once") as running:
        assert running.process.wait(timeout=patient(RANKED_SECONDS)) == 0, running.said()
        said = running.said()
    assert f"Rejected: {posts.name}, byte" in said
    assert "All 1 rejected lines" in said
    assert json.loads((tmp_path / "var" / "rejects.ndjson").read_text())["line"] == "{not json"
    assert (tmp_path / "var" / "results" / "rankings" / "latest.json").exists()


def _post(number: int) -> dict[str, Any]:
    return {
        "kind": "post",
        "network": "x",
        "post_id": str(number),
        "author_id": str(number % 7),
        "author_handle": f"sim_{number % 7}",
        "posted_at": f"2024-05-01T10:00:{number:02d}.000Z",
        "text": "synthetic",
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--posts", "nowhere.ndjson"], "there is no such file"),
        (["--project", "/"], "has no dags/"),
    ],
)
def test_a_wrong_input_gets_one_clear_message(words: list[str], sentence: str, tmp_path: Path) -> None:
    done = subprocess.run([*command("--var", str(tmp_path)), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = command("--var", str(tmp_path), "--port", str(port))
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
