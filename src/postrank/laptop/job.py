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
        super().__init__(f"{dag_id} failed in {failed} (run {run_id}); its logs: {logs / f'dag_id={dag_id}'}")


class RunTooSlow(Fatal):
    """A DAG run did not end in time."""

    def __init__(self, dag_id: str, run_id: str) -> None:
        super().__init__(f"{dag_id} has not ended after {RUN_SECONDS:.0f} s (run {run_id})")


class DeliveryStands(Fatal):
    """Posts were acknowledged but no longer arrive in the lake."""

    def __init__(self, delivered: int, acknowledged: int) -> None:
        super().__init__(
            f"{delivered} of {acknowledged} acknowledged lines were delivered, and none came for
            {DELIVERY_SECONDS:.0f} s: " "see var/log/localaws.log"
        )


@dataclass(slots=True)
class Job:
    """One run of everything. `run` returns when the first ranking is exported; the parts stay up until `parts` is
    left.
    """

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

    def _provision(self, cloud: LocalCloud, streamer: Streamer) -> None:
        self.status.begin("resources")
        provision = Provision(cloud.client, self.names)
        if not provision.exists():
            for kind in provision.base():
                self.status.say("resources", kind)
            self.status.begin("streamer", "waiting for its instance")
            streamer.describe()
            provision.streamer(unit=self.names.streamer.service)
        self.status.done("resources", f"database {self.names.database}, bucket {self.names.buckets['results']}")

    def _airflow_up(self, airflow: Airflow) -> None:
        self.status.say("Airflow", "api-server is starting")
        airflow.start_rest()
        self.status.say("Airflow", "reading the DAGs")
        deadline = time.monotonic() + DAGS_SECONDS
        while missing := set(DAGS) - airflow.known_dags():
            if time.monotonic() > deadline:
                raise DagsMissing(missing, airflow.import_errors())
            self._look_after()
            time.sleep(0.3)
        for dag_id in sorted(airflow.known_dags()):
            airflow.unpause(dag_id)
        self.status.done("Airflow", airflow.url)

    def _dag(self, airflow: Airflow, dag_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Run one DAG by hand, as a person would, and wait for its end."""
        self.status.begin(dag_id)
        run_id = airflow.trigger(dag_id, conf or {})
        deadline = time.monotonic() + RUN_SECONDS
        while (state := airflow.run_state(dag_id, run_id)) not in ("success", "failed"):
            if time.monotonic() > deadline:
                raise RunTooSlow(dag_id, run_id)
            self._look_after()
            self.status.say(dag_id, _progress(airflow.tasks(dag_id, run_id)))
            time.sleep(0.3)
        if state == "failed":
            raise RunFailed(dag_id, run_id, airflow.failed_tasks(dag_id, run_id), self.layout.logs / "tasks")
        self.status.done(dag_id, _progress(airflow.tasks(dag_id, run_id)))

    def _wait_for_delivery(self, cloud: LocalCloud, streamer: Streamer) -> None:
        """Return when all that the streamer sent is in the raw zone: a finished replay, or a first minute of a
        live source.
        """
        prefix = self.names.delivery["posts"].prefix.split("dt=")[0]
        delivered = DeliveredLines(cloud.client("s3"), self.names.buckets["raw"], prefix)
        moved, collected_until = time.monotonic(), time.monotonic() + LIVE_SECONDS
        while not (streamer.enough(collected_until) and delivered.lines >= streamer.acknowledged() > 0):
            before = delivered.lines
            delivered.update()
            if delivered.lines > before or not streamer.enough(collected_until):
                moved = time.monotonic()
            if time.monotonic() - moved > DELIVERY_SECONDS:
                raise DeliveryStands(delivered.lines, streamer.acknowledged())
            self._look_after()
            self.status.say("streamer", streamer.describe_progress())
            self.status.say("delivery", f"{delivered.lines:,} lines in {delivered.objects} objects")
            time.sleep(0.3)
        self.status.done("streamer", streamer.describe_progress())
        self.status.done("delivery", f"{delivered.lines:,} lines in {delivered.objects} objects")
        self._delivered = delivered.lines

    def _copy_results(self, cloud: LocalCloud) -> None:
        """Leave a copy of all that was exported below var/results, by the same keys."""
        s3, bucket = cloud.client("s3"), self.names.buckets["results"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", ()):
                target = self.layout.results / entry["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, entry["Key"], str(target))

    def _look_after(self) -> None:
        self.parts.check()
        check_room(self.layout.var)


def _progress(tasks: list[dict[str, Any]]) -> str:
    """Where a DAG run stands: how many tasks ended, and which are at work."""
    ended = sum(task["state"] in ("success", "skipped") for task in tasks)
    at_work = sorted({task["task_id"] for task in tasks if task["state"] in ("running", "deferred")})
    return f"{ended} of {len(tasks)} tasks" + (f", now {', '.join(at_work)}" if at_work else "")
