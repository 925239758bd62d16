"""Airflow in its parts on a local AWS, without the streamer: for tests that break a part, or turn back time."""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.laptop.provision import Provision
from postrank.laptop.services import airflow as local_airflow
from postrank.laptop.services import login
from postrank.laptop.services.airflow import Airflow
from postrank.laptop.services.postgres import Postgres
from postrank.laptop.services.processes import Parts
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.ports import any_free
from tests.support.fakes.webhook import Webhook, webhook
from tests.support.stack.laptop_run import share_cache

ROOT = Path(__file__).resolve().parents[3]
NAMES = Resources.of("local", "123456789012")
# A dead scheduler is missed within seconds rather than minutes.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
}


@dataclass
class Running:
    """Airflow in its parts on a local AWS."""

    aws: LocalAws
    airflow: Airflow
    database: Postgres
    parts: Parts
    webhook: Webhook

    def ended(self, dag_id: str, run_id: str) -> str:
        def state() -> str:
            state = self.airflow.run_state(dag_id, run_id)
            return state if state in ("success", "failed") else ""

        return wait_for(state, timeout=900, what=f"{run_id} to end", every=0.5)

    def exports(self) -> dict[str, dict[str, Any]]:
        """The manifests so far by Airflow's run id."""
        s3, bucket = self.aws.client("s3"), NAMES.buckets["results"]
        entries = s3.list_objects_v2(Bucket=bucket, Prefix="rankings/").get("Contents", [])
        keys = [entry["Key"] for entry in entries if entry["Key"].endswith("manifest.json")]
        manifests = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
        return {manifest["run_id"]: manifest for manifest in manifests}

    def csv(self, run_id: str, granularity: str) -> list[dict[str, str]]:
        """The rows of a run's export, without their revisions."""
        key = f"rankings/run={self.exports()[run_id]['run']}/granularity={granularity}/ranked_authors.csv"
        body = self.aws.client("s3").get_object(Bucket=NAMES.buckets["results"], Key=key)["Body"].read()
        rows = csv.DictReader(io.StringIO(body.decode()))
        return [{name: value for name, value in row.items() if name != "revision"} for row in rows]

    def dag_runs(self, dag_id: str) -> list[dict[str, Any]]:
        url = f"{self.airflow.url}/api/v2/dags/{dag_id}/dagRuns"
        auth = login.Login(self.airflow.url, Layout.of(ROOT, self.parts.logs.parent).passwords)
        runs: list[dict[str, Any]] = httpx.get(url, params={"limit": 100}, timeout=60, auth=auth).json()["dag_runs"]
        return runs


@contextmanager
def running_airflow(folder: Path, more_dags: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Every part of Airflow and what it needs, until the block ends. `more_dags`: source by name of the module."""
    more = more_dags or {}
    layout = Layout.of(ROOT, folder / "var")
    share_cache(layout.var)
    layout.create()
    shutil.copytree(ROOT / "dags", folder / "dags")
    for name, source in more.items():
        (folder / "dags" / f"{name}.py").write_text(source)
    with (
        running_localaws(folder, speed=50, enforce_iam=True) as aws,
        webhook() as hook,
        Parts(layout.logs) as parts,
    ):
        list(Provision(aws.client, NAMES).base())
        port = any_free()
        database = Postgres(parts, layout.airflow / "postgres", layout.cache)
        env = {
            **local_airflow.inherited_environment(),
            **local_airflow.settings(layout, database, port, aws.endpoint, NAMES.region),
            **IMPATIENT,
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW_CONN_POSTRANK_WEBHOOK": json.dumps({"conn_type": "http", "password": hook.url}),
            **aws.role_environment(NAMES.roles["airflow"]),
            "POSTRANK_ACCOUNT": NAMES.account,
            "POSTRANK_INCLUDE": str(ROOT / "include"),
            "POSTRANK_POLL_SECONDS": "1",
        }
        local_airflow.start_database(database, env)
        airflow = Airflow(parts, env, port, ROOT)
        airflow.start_api()
        airflow.start_rest()
        expected = {"rank_authors", *more}
        wait_for(lambda: expected <= airflow.known_dags(), timeout=600, what="the DAGs", every=0.5)
        yield Running(aws, airflow, database, parts, hook)
