"""The warehouse and the app of `make run`: up after the first ranking, with its rows, and stopped with the rest."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx
import nbformat
import psutil
import psycopg
import pytest
from nbclient import NotebookClient

from localaws.testing.instances import alive
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.stack.laptop_run import ROOT, Stack, exported, running_stack

pytestmark = [pytest.mark.system, pytest.mark.in_file_order, pytest.mark.timeout(patient(600))]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack"), app=True) as running:
        running.wait_until_ranked()
        yield running


@pytest.fixture(scope="module")
def address(stack: Stack) -> str:
    """The address of the app, as it is printed."""

    def printed() -> str:
        assert "the app is not up" not in stack.said(), stack.said()
        match = re.search(r"^App +(http://127\.0\.0\.1:\d+)$", stack.said(), re.MULTILINE)
        return match[1] if match else ""

    return wait_for(printed, timeout=180, what="the address of the app", every=0.5)


def reader(stack: Stack) -> "psycopg.Connection[psycopg.rows.TupleRow]":
    """A connection with the login of `var/warehouse.env`, as psql would make it."""
    path = stack.var / "warehouse.env"
    assert path.stat().st_mode & 0o077 == 0
    script = f". {path} && exec env"
    output = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in output.splitlines() if line.startswith("PG"))
    return psycopg.connect(
        host=variables["PGHOST"],
        port=int(variables["PGPORT"]),
        dbname=variables["PGDATABASE"],
        user=variables["PGUSER"],
        password=variables["PGPASSWORD"],
        autocommit=True,
    )


def command_lines(stack: Stack) -> dict[int, str]:
    """The processes of the run that have not ended, with their words."""
    words = {}
    for process in psutil.Process(stack.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            words[process.pid] = " ".join(process.cmdline())
    return words


def test_the_app_is_started_after_the_first_ranking(stack: Stack, address: str) -> None:
    said = stack.said()
    assert said.index("Exported to") < said.index("App  ")
    assert httpx.get(f"{address}/_stcore/health", trust_env=False).text == "ok"


def test_the_warehouse_has_the_rows_of_the_run_and_its_reader_only_reads(stack: Stack, address: str) -> None:
    expected = exported(stack.var / "results", "hour")
    with reader(stack) as connection:
        query = "select count(*) from rankings where granularity = 'hour'"
        assert connection.execute(query).fetchone() == (len(expected),)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from rankings")


def test_live_windows_arrive_in_the_warehouse(stack: Stack, address: str) -> None:
    with reader(stack) as connection:

        def board() -> int:
            row = connection.execute("select count(*) from live_board").fetchone()
            return row[0] if row else 0

        assert wait_for(board, timeout=120, what="the live board", every=0.5)


def test_an_export_is_loaded_seconds_after_its_event(stack: Stack, address: str) -> None:
    """The manifest is written again, with another byte: a new content, which the event of S3 names."""
    s3 = stack.client("s3")
    runs = "/api/v2/dags/load_warehouse/dagRuns"
    active = {"state": ["queued", "running"]}

    def idle() -> bool:
        return bool(stack.http().get(runs, params=active).json()["total_entries"] == 0)

    wait_for(idle, timeout=120, what="the end of the sweeps", every=0.5)
    (bucket,) = [name for name in buckets(s3) if name.startswith("postrank-local-results-")]
    run = json.loads(s3.get_object(Bucket=bucket, Key="rankings/latest.json")["Body"].read())["run"]
    key = f"rankings/run={run}/manifest.json"
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    etag = s3.put_object(Bucket=bucket, Key=key, Body=body + b"\n")["ETag"].strip('"')
    written = s3.head_object(Bucket=bucket, Key=key)["LastModified"]
    with reader(stack) as connection:

        def loaded() -> datetime | None:
            query = "select loaded_at from loads where object = %s and etag = %s"
            row = connection.execute(query, (key, etag)).fetchone()
            return row[0] if row else None

        seconds = (wait_for(loaded, timeout=120, what="the load", every=0.2) - written).total_seconds()
    assert seconds < patient(30)  # 30 s on a machine that does nothing else
    by_events = stack.http().get(runs, params={"run_type": "asset_triggered"}).json()
    assert by_events["total_entries"] > 0


def buckets(s3: Any) -> list[str]:
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_the_notebook_reads_exports_lake_and_warehouse_and_redraws_the_charts(stack: Stack, address: str) -> None:
    script = f". {stack.var / 'airflow.env'} && . {stack.var / 'warehouse.env'} && exec env -0"
    output = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in output.split("\0") if "=" in line)
    notebook = nbformat.read(ROOT / "notebooks" / "rankings.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=int(patient(60)), kernel_name="python3")
    client.execute(env=variables)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    charts = [output for output in outputs if "vega" in output.get("data", {}).get("text/html", "")]
    assert len(charts) == 7
    assert re.match(r"[\d,]+ rows of the export are in the warehouse and in the lake", outputs[-1]["text"])


def test_status_shows_the_app_and_the_warehouse(stack: Stack, address: str) -> None:
    argv = [sys.executable, "-m", "postrank", "status", "--var", str(stack.var)]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True, env={**os.environ}).stdout
    assert f"{address} (answers)" in shown
    assert re.search(r"Warehouse +127\.0\.0\.1:\d+/postrank \(accepts connections\)", shown)


def test_no_password_reaches_a_log_or_a_command_line(stack: Stack, address: str) -> None:
    text = (stack.var / "warehouse.env").read_text()
    (password,) = set(re.findall(r"PGPASSWORD=(\S+)", text))
    assert not [path for path in stack.var.joinpath("log").glob("*.log") if password in path.read_text()]
    assert not [words for words in command_lines(stack).values() if password in words]


def test_the_app_is_stopped_with_the_rest(stack: Stack, address: str) -> None:
    before = command_lines(stack)
    assert [words for words in before.values() if "streamlit run" in words]
    assert stack.interrupt() == 0
    assert [before[pid] for pid in before if alive(pid)] == []
    with pytest.raises(httpx.TransportError):
        httpx.get(address, trust_env=False)
