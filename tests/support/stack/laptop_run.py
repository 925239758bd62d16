"""The whole stack as a user starts it: `postrank up` in a process of its own, on free ports, with its files in a
folder of the test.
"""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.laptop.services import login
from postrank.laptop.services.airflow import Airflow
from postrank.laptop.services.local_aws import root_key
from postrank.laptop.services.processes import Parts
from postrank.laptop.setup.ports import any_free
from tests.support import permissions

ROOT = Path(__file__).resolve().parents[3]
RANKED_SECONDS = 900.0  # it takes a minute; a busy machine gets more, and a run that fails ends at once


@dataclass
class Stack:
    """A running `postrank up`."""

    process: "subprocess.Popen[bytes]"
    var: Path
    ui_port: int
    aws_port: int
    output: Path

    @property
    def ui(self) -> str:
        return f"http://127.0.0.1:{self.ui_port}"

    def client(self, service: str) -> Any:
        """A boto3 client that is the account's root."""
        key, secret = root_key(self.var / "aws" / "state" / "credentials")
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.aws_port}",
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(read_timeout=patient(60)),
        )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_until_ranked(self) -> None:
        try:
            wait_for(self._ranked, timeout=RANKED_SECONDS, what="the ranking", every=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}; its output:\n{self.said()}") from error

    def _ranked(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"postrank up ended with {self.process.returncode}:\n{self.said()}")
        return "Ctrl-C" in self.said()

    @property
    def passwords(self) -> Path:
        return self.var / "airflow" / "passwords.json"

    def http(self) -> httpx.Client:
        """A client of Airflow's API, logged in as the administrator."""
        return httpx.Client(base_url=self.ui, auth=login.Login(self.ui, self.passwords), timeout=patient(30))

    def run_dag(self, dag_id: str, conf: dict[str, Any], timeout: float = 900.0) -> str:
        """Run a DAG to its end; returns the run's state."""
        airflow = Airflow(Parts(self.var), {login.PASSWORDS_FILE: str(self.passwords)}, self.ui_port, self.var)
        run_id = airflow.trigger(dag_id, conf)

        def ended() -> str:
            state = airflow.run_state(dag_id, run_id)
            return state if state in ("success", "failed") else ""

        return wait_for(ended, timeout=timeout, what=f"{dag_id} to end", every=0.5)

    def calls(self) -> list[dict[str, Any]]:
        """The local AWS's call log, oldest first."""
        path = self.var / "aws" / "calls.ndjson"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def interrupt(self) -> int:
        """Press Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=patient(60))


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "postrank", "up", *options]


@contextmanager
def running_stack(folder: Path, posts: Sequence[Path] = (), *options: str, app: bool = False) -> Iterator[Stack]:
    """Start everything, with the warehouse and the app if asked for; on leaving, press Ctrl-C if it still runs."""
    ui_port = any_free()
    aws_port = any_free()
    var = folder / "var"
    share_cache(var)
    words = ["--project", str(ROOT), "--var", str(var), "--port", str(ui_port), "--aws-port", str(aws_port), *options]
    words += [] if app else ["--no-app"]
    for path in posts:
        words += ["--posts", str(path)]
    output = folder / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            command(*words), stdout=out, stderr=out, stdin=subprocess.DEVNULL, env={**os.environ}
        )
    stack = Stack(process=process, var=var, ui_port=ui_port, aws_port=aws_port, output=output)
    try:
        yield stack
    finally:
        if process.poll() is None:
            stack.interrupt()
        permissions.gather(stack.calls())


def share_cache(var: Path) -> Path:
    """Have the run in `var` use the checkout's cache, so that Airflow's database is migrated once for all of them."""
    cache = ROOT / "var" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    var.mkdir(parents=True, exist_ok=True)
    (var / "cache").symlink_to(cache)
    return cache


def exported(results: Path, granularity: str) -> list[dict[str, str]]:
    """The exported rows of the latest run below a results folder."""
    latest = json.loads((results / "rankings" / "latest.json").read_text())
    path = results / "rankings" / f"run={latest['run']}" / f"granularity={granularity}" / "ranked_authors.csv"
    with path.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))
