"""Airflow on a laptop: its settings, its four processes in the order that works, and the few API calls that a run
makes, as its administrator.

The api-server comes first and answers once before the scheduler starts: its first answer builds the Execution API,
which takes longer than a task waits for its supervisor.
"""

import json
import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from postrank.documents import Document, JsonObject
from postrank.errors import Fatal
from postrank.laptop.services import login
from postrank.laptop.services.postgres import Postgres
from postrank.laptop.services.processes import Parts, Program
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.ports import HOST

READY_SECONDS = 600.0  # it answers in 10 s; a dead part is noticed at once, so a busy machine may take its time
ANSWER_SECONDS = 300.0  # for a call to be answered by an api-server that is restarted meanwhile
_REQUEST_SECONDS = 120.0  # for one attempt at a call
_PAUSE_SECONDS = 0.5  # between two attempts
_LONGEST_PERIOD = timedelta(hours=1)  # of the schedules of the DAGs that a run triggers
_OTHERS = ("AWS_", "AIRFLOW", "POSTRANK_")  # how the environment's names begin that decide which stack is meant
# What nearly every task imports. The scheduler loads it once, before it forks the processes that tasks are forked from.
_PRELOADED = (
    "airflow.dag_processing.dagbag",
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.amazon.aws.hooks.athena",
    "airflow.providers.amazon.aws.operators.athena",
    "airflow.providers.amazon.aws.operators.ec2",
    "airflow.providers.amazon.aws.operators.glue_crawler",
    "airflow.providers.amazon.aws.operators.ssm",
    "postrank.report",
    "postrank.ranking.steps",
)
_PRELOADING = f"import runpy, {', '.join(_PRELOADED)}; runpy.run_module('airflow', run_name='__main__')"
AIRFLOW = (sys.executable, "-m", "airflow")
_COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "scheduler": (sys.executable, "-c", _PRELOADING, "scheduler", "--skip-serve-logs"),
    "dag-processor": (*AIRFLOW, "dag-processor"),
    "triggerer": (*AIRFLOW, "triggerer", "--skip-serve-logs"),
}
# Limits that a machine under load must not reach. A dead process is noticed by its exit, not by these.
_PATIENCE: Mapping[str, str] = {
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
    "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "1200",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "1800",
    "AIRFLOW__TRIGGERER__RUNNER_HEALTH_CHECK_THRESHOLD": "300",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "20",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "10",
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "120",
}
# How soon what a dead scheduler or triggerer was at is taken up again by the restarted one. A live one must report
# within that time even under load, or its tasks are taken from it.
_TAKEOVER: Mapping[str, str] = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "60",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "60",
}


class AirflowRefused(Fatal):
    """Airflow's API did not take a call."""

    def __init__(self, call: str, status: int, detail: str) -> None:
        super().__init__(f"Airflow refused {call} with status {status}: {detail}")
        self.status = status


class MigrationFailed(Fatal):
    """Airflow could not set up its database."""

    def __init__(self, output: str) -> None:
        super().__init__(f"airflow db migrate failed:\n{output}")


def settings(
    layout: Layout, database: Postgres, port: int, aws_endpoint: str, region: str, *, scheduled: bool = True
) -> dict[str, str]:
    """Airflow's environment: settings for two cores, loopback only, and the connection to the local AWS.

    Unless `scheduled`, DAGs run only when they are triggered.
    """
    url = f"http://{HOST}:{port}"
    connection = {"conn_type": "aws", "extra": {"region_name": region, "endpoint_url": aws_endpoint}}
    return {
        "AIRFLOW_HOME": str(layout.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(layout.root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(layout.root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        **login.settings(layout.passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": _kept_secret(layout.airflow / "secret-key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _kept_secret(layout.airflow / "jwt-secret"),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(scheduled),
        "AIRFLOW__SCHEDULER__MP_START_METHOD": "fork",  # of what _PRELOADED names
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # A file that changes is read again at once; this is for what its imports change.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(layout.logs / "tasks"),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        **_PATIENCE,
        **_TAKEOVER,
    }


def start_database(database: Postgres, env: Mapping[str, str]) -> None:
    """Start the metadata database, migrated to the installed Airflow's schema."""

    def migrate(url: str) -> None:
        migration = {**env, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}
        done = subprocess.run([*AIRFLOW, "db", "migrate"], env=migration, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MigrationFailed(done.stderr[-2000:])

    database.start(migrate)


class Airflow:
    """The running Airflow: starts its processes among `parts` and speaks its public API."""

    def __init__(self, parts: Parts, env: Mapping[str, str], port: int, cwd: Path) -> None:
        self.url = f"http://{HOST}:{port}"
        self._parts = parts
        self._env = env
        self._port = port
        self._cwd = cwd
        auth = login.Login(self.url, Path(env[login.PASSWORDS_FILE]))
        # Not through a proxy of the environment: it could not reach loopback, and would see the password.
        self._http = httpx.Client(base_url=self.url, timeout=_REQUEST_SECONDS, auth=auth, trust_env=False)

    def start_api(self) -> None:
        """Start the api-server; returns at once."""
        argv = [*AIRFLOW, "api-server", "--host", HOST, "--port", str(self._port), "--workers", "1"]
        self._parts.start("api-server", Program(argv=argv, env=self._env, cwd=self._cwd))

    def start_rest(self) -> None:
        """Wait until the api-server has answered as an Execution API, then start the other three."""
        self._parts.wait_until("api-server", self._answers, READY_SECONDS)
        for name, argv in _COMPONENTS.items():
            self._parts.start(name, Program(argv=argv, env=self._env, cwd=self._cwd))

    def _answers(self) -> bool:
        try:
            return self._http.get("/execution/health", auth=None).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def make_pools(self, path: Path) -> None:
        """Make the pools of a file as `airflow pools import` reads it: without its pool a task never starts."""
        for name, pool in json.loads(path.read_text(encoding="utf-8")).items():
            try:
                self.call("POST", "/api/v2/pools", json={"name": name, **pool})
            except AirflowRefused as refused:
                if refused.status != httpx.codes.CONFLICT:
                    raise

    def known_dags(self) -> set[str]:
        """The DAGs that were parsed without error so far."""
        response = self.call("GET", "/api/v2/dags", params={"limit": 100})
        return {dag["dag_id"] for dag in response["dags"]}

    def import_errors(self) -> list[str]:
        """What the DAG files that do not parse say, a line each."""
        response = self.call("GET", "/api/v2/importErrors")
        return [
            f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
            for error in response["import_errors"]
        ]

    def unpause(self, dag_id: str) -> None:
        self.call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def parse(self, dag_id: str) -> None:
        """Have a DAG's file read again soon: that starts watchers of its assets, unless it is paused."""
        token = self.call("GET", f"/api/v2/dags/{dag_id}")["file_token"]
        try:
            self.call("PUT", f"/api/v2/parseDagFile/{token}")
        except AirflowRefused as refused:
            if refused.status != httpx.codes.CONFLICT:  # which says that it is to be read already
                raise

    def trigger(self, dag_id: str, conf: JsonObject) -> str:
        """Start a run by hand; returns its run id. Raises AirflowRefused when the params do not fit their schema.

        The id is ours, so that a call that was not answered may be repeated without starting a second run. The run
        goes before those that the schedule makes when the DAG is unpaused: queued runs start in the order of what they
        were to run after.
        """
        now = datetime.now(UTC)
        run_id = f"manual__{now.isoformat()}"
        run_after = (now - _LONGEST_PERIOD).isoformat()
        body = {"dag_run_id": run_id, "logical_date": None, "run_after": run_after, "conf": dict(conf)}
        try:
            self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        except AirflowRefused as refused:
            if refused.status != httpx.codes.CONFLICT:
                raise
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        return str(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_seconds(self, dag_id: str, run_id: str) -> dict[str, float]:
        """How long the tasks of a run worked, in seconds; the instances of a mapped task together."""
        seconds: dict[str, float] = {}
        for task in self.tasks(dag_id, run_id):
            seconds[task["task_id"]] = seconds.get(task["task_id"], 0.0) + (task["duration"] or 0.0)
        return seconds

    def failed_tasks(self, dag_id: str, run_id: str) -> list[str]:
        """The tasks of a run that failed by themselves."""
        return [state["task_id"] for state in self.tasks(dag_id, run_id) if state["state"] == "failed"]

    def tasks(self, dag_id: str, run_id: str) -> list[Document]:
        """The run's task instances, as the API shows them."""
        response = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 200})
        instances: list[Document] = response["task_instances"]
        return instances

    def call(self, method: str, path: str, **request: Any) -> Document:
        """One call, repeated while the api-server or its database is being restarted. Raises AirflowRefused."""
        call = f"{method} {path}"
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            self._parts.check()
            try:
                response = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                refused = AirflowRefused(call, 0, str(error))
            else:
                if not response.is_error:
                    body: Document = response.json()
                    return body
                refused = AirflowRefused(call, response.status_code, response.text[:500])
                if not response.is_server_error:
                    raise refused
            if time.monotonic() > deadline:
                raise refused
            time.sleep(_PAUSE_SECONDS)


def inherited_environment() -> dict[str, str]:
    """This process's environment without what would lead a part away from the run's own AWS and Airflow."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write a shell file that makes `airflow` and `postrank` commands reach this run; readable by its owner only."""
    variables = {name: value for name, value in environment.items() if name.startswith(_OTHERS)}
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(
        "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()), encoding="utf-8"
    )


def _kept_secret(path: Path) -> str:
    """A secret of this run: made once, readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(48), encoding="ascii")
    return path.read_text(encoding="ascii")
