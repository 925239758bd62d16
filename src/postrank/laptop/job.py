"""The main job of a run: posts in, ranked authors out, through every hop, with the status shown as it goes."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.laptop import airflow as local_airflow
from postrank.laptop.accounting import Accounting
from postrank.laptop.airflow import Airflow
from postrank.laptop.cloud import LocalCloud
from postrank.laptop.delivered import DeliveredLines
from postrank.laptop.layout import Layout
from postrank.laptop.options import Options, check_room
from postrank.laptop.processes import Parts
from postrank.laptop.provision import Provision
from postrank.laptop.status import Status
from postrank.laptop.streamer import Streamer

STEPS = {
    "local AWS": "Kinesis, Firehose, S3, Glue, Athena, EC2 on loopback",
    "resources": "streams, buckets, roles, catalogue, workgroup",
    "streamer": "reads posts and writes them to Kinesis",
    "delivery": "Firehose writes them to S3 by arrival hour",
    "Airflow": "api-server, scheduler, dag-processor, triggerer",
    "supervise_streamer": "is the streamer well?",
    "check_delivery": "did every post arrive?",
    "refresh_catalog": "the crawler finds the new partitions",
    "rank_authors": "Athena counts, ranks and exports",
}
DAGS = tuple(step for step in STEPS if "_" in step)
DAGS_SECONDS = 120.0  # for the DAG files to be parsed
RUN_SECONDS = 1800.0  # for one DAG run; a large archive takes its time
DELIVERY_SECONDS = 300.0  # for a delivery that does not move at all
LIVE_SECONDS = 60.0  # how long a live source collects before the first ranking


class DagsMissing(Fatal):
    """Airflow did not come to know every DAG."""

    def __init__(self, missing: set[str], errors: list[str]) -> None:
        detail = "\n".join(f"  {line}" for line in errors) or "  no import error is on record"
        super().__init__(f"Airflow does not know {', '.join(sorted(missing))}:\n{detail}")


class RunFailed(Fatal):
    """A DAG run failed."""

    def __init__(self, dag_id: str, run_id: str, tasks: list[str], logs: Path) -> None:
        failed = ", ".join(tasks) or "no task by itself"
        super().__init__(f"{dag_id} failed in {failed}; its logs are below {logs / f'dag_id={dag_id}'} (run {run_id})")


class RunTooSlow(Fatal):
    """A DAG run did not end in time."""

    def __init__(self, dag_id: str, run_id: str) -> None:
        super().__init__(f"{dag_id} has not ended after {RUN_SECONDS:.0f} s (run {run_id})")


class DeliveryStands(Fatal):
    """Posts were acknowledged but no longer arrive in the lake."""

    def __init__(self, delivered: int, acknowledged: int) -> None:
        super().__init__(
            f"{delivered} of {acknowledged} acknowledged lines were delivered, and none came for {DELIVERY_SECONDS:.0f} s: "
            "see var/log/localaws.log"
        )


@dataclass(slots=True)
class Job:
    """One run of everything. `run` returns when the first ranking is exported; the parts stay up until `parts` is left."""

    options: Options
    layout: Layout
    names: Resources
    parts: Parts
    status: Status

    def run(self) -> Accounting:
        """Bring everything up, do the main job; returns what each hop took and gave."""
        base = local_airflow.inherited_environment()
        cloud = LocalCloud(self.parts, self.layout, self.options.aws_port, self.names.region)
        streamer = Streamer(self.layout, self.names, cloud, self.options)
        self.status.begin("local AWS")
        cloud.start(base)
        airflow = self._start_airflow(base, cloud)
        cloud.wait()
        self.status.done("local AWS", cloud.endpoint)
        self._provision(cloud, streamer)
        self.status.begin("delivery")
        self._airflow_up(airflow)
        self._dag(airflow, "supervise_streamer")
        self._wait_for_delivery(cloud, streamer)
        self._dag(airflow, "check_delivery")
        self._dag(airflow, "refresh_catalog")
        self._dag(airflow, "rank_authors", streamer.event_interval())
        self._copy_results(cloud)
        self._write_timings(airflow)
        return Accounting.of(streamer.heartbeat(), self._delivered, self.layout.results)

    def stay(self) -> None:
        """Keep everything up; raises what ends it: a part that died, a full disk, or the interrupt."""
        while True:
            self._look_after()
            time.sleep(1.0)

    # The steps, in the order in which `run` takes them.

    def _start_airflow(self, base: Mapping[str, str], cloud: LocalCloud) -> Airflow:
        env = {
            **base,
            **cloud.role_environment(self.names.roles["airflow"]),
            **local_airflow.settings(self.layout, self.options.port, cloud.endpoint, self.names.region),
            "POSTRANK_ENVIRONMENT": self.names.environment,
            "POSTRANK_ACCOUNT": self.names.account,
        }
        _write_environment(self.layout.var / "airflow.env", env, base)
        self.status.begin("Airflow", "setting up its database")
        local_airflow.prepare(self.layout, env)
        airflow = Airflow(self.parts, env, self.options.port, self.layout.root)
        airflow.start_api()
        return airflow
