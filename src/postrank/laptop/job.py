"""The main job of a run: posts in, ranked authors out, through every hop, with the status shown as it goes."""

import json
import time
from dataclasses import dataclass, field

from postrank.aws.resources import Resources
from postrank.delivery.lines import DeliveredLines
from postrank.delivery.run_accounting import Accounting, newest_manifest
from postrank.documents import Document, JsonObject
from postrank.laptop.failures import DagsMissing, DeliveryStands, RunFailed, RunTooSlow
from postrank.laptop.provision import Provision
from postrank.laptop.rejected_lines import Rejects
from postrank.laptop.services import airflow as local_airflow
from postrank.laptop.services.airflow import Airflow
from postrank.laptop.services.app import App
from postrank.laptop.services.collectors import Collectors, Heartbeats, arrived
from postrank.laptop.services.local_aws import LocalCloud, stream_limits
from postrank.laptop.services.postgres import Postgres
from postrank.laptop.services.processes import Parts
from postrank.laptop.services.spark import ENGINE as SPARK
from postrank.laptop.services.spark import Spark
from postrank.laptop.services.spark import environment as spark_environment
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options, check_room
from postrank.laptop.status import Status
from postrank.ranking.export_reader import Results
from postrank.ranking.export_writer import LATEST

STEPS = {
    "local AWS": "Kinesis, Firehose, S3, Glue, Athena, EC2 on loopback",
    "resources": "streams, buckets, roles, catalog, workgroup",
    "Airflow": "api-server, scheduler, dag-processor, triggerer",
    "streamer": "reads posts and writes them to Kinesis",
    "delivery": "Firehose writes them to S3 by arrival hour",
    "supervise_streamer": "is the streamer healthy?",
    "check_delivery": "did every post arrive?",
    "refresh_catalog": "the crawler finds the new partitions",
    "rank_authors": "Athena counts, ranks and exports",
}
SPARK_STEP = {SPARK: "Spark counts the stream's windows again, and Athena compares"}
DAGS = ("supervise_streamer", "check_delivery", "refresh_catalog", "rank_authors")
_LOAD = "load_warehouse"
DAGS_SECONDS = 600.0  # for the DAG files to be parsed
RUN_STILL_SECONDS = 3600.0  # of one DAG run without a change of any task: a large archive takes its time
STILL_SECONDS = 600.0  # without any movement of posts
_PAUSE = 0.3
_TASKS_PAUSE = 2.0  # listing a run's tasks keeps the api-server from what tasks ask of it
_STAY_PAUSE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A DAG run that the main job made, and how many parts had been restarted by then."""

    dag_id: str
    run_id: str
    conf: JsonObject
    restarts: int


@dataclass(slots=True)
class Job:
    """One run of everything. The parts stay up until `parts` is left."""

    options: Options
    layout: Layout
    names: Resources
    parts: Parts
    status: Status
    cloud: LocalCloud = field(init=False)
    database: Postgres = field(init=False)
    airflow: Airflow = field(init=False)
    collectors: Collectors = field(init=False)
    runs: dict[str, Run] = field(init=False, default_factory=dict)  # the last one of each DAG

    def __post_init__(self) -> None:
        self.cloud = LocalCloud(self.parts, self.layout, self.options.aws_port, self.names.region, self.options.athena)
        self.database = Postgres(self.parts, self.layout.airflow / "postgres", self.layout.cache)
        self.collectors = Collectors(self.layout, self.names, self.cloud, self.options.collectors())
        self.airflow = Airflow(self.parts, self._airflow_environment(), self.options.port, self.layout.root)

    def run(self) -> Accounting:
        """Bring everything up and do the main job, to the exported ranking; returns what each hop took and gave."""
        self._start()
        self._provision()
        self._wait_for_airflow()
        self._wait_for_heartbeat()
        supervision = self._trigger("supervise_streamer")
        heartbeats, delivered = self._wait_for_delivery()
        check = self._trigger("check_delivery")
        crawl = self._trigger("refresh_catalog")
        for run in (supervision, check, crawl):
            self._wait_for_run(run)
        request = {**self.collectors.event_interval(), "publish": True}
        self._wait_for_run(self._trigger("rank_authors", request))
        self._copy_results()
        if self.options.engine == SPARK:
            self._count_with_spark()
        self._write_timings()
        return Accounting.of(heartbeats, delivered, newest_manifest(self.layout.results))

    def rejects(self) -> Rejects:
        """The lines that the streamer rejected, copied to var/rejects.ndjson."""
        prefix = f"{self.names.keys['ledgers']}rejects/"
        path = self.layout.var / "rejects.ndjson"
        return Rejects.copied(self.cloud.client("s3"), self.names.buckets["raw"], prefix, path)

    def start_app(self, app: App) -> None:
        """Start the warehouse, load what was exported into it, and start the pages over it.

        Raises what keeps one of them from its work: Fatal, Retryable.
        """
        provision = Provision(self.cloud.client, self.names)
        provision.role("live")
        provision.warehouse_events()
        app.prepare(self.airflow)
        run_id = self.airflow.trigger(_LOAD, {})
        self.airflow.unpause(_LOAD)
        self.airflow.parse(_LOAD)
        app.wait()
        if not self._succeeds(Run(dag_id=_LOAD, run_id=run_id, conf={}, restarts=self.parts.restarts)):
            raise RunFailed(_LOAD, run_id, self.airflow.failed_tasks(_LOAD, run_id), self.layout.logs / "tasks")

    def stay(self) -> None:
        """Keep everything up, each DAG on its schedule; raises what ends it: a dead part, a full disk, an interrupt."""
        for dag_id in sorted(self.airflow.known_dags()):
            self.airflow.unpause(dag_id)
        while True:
            self._look_after()
            self._copy_newer_results()
            time.sleep(_STAY_PAUSE)

    def _start(self) -> None:
        """Start the local AWS and, at the same time, the slowest part of Airflow."""
        self.status.begin("local AWS")
        self.collectors.describe()
        kinds = [collector.kind for collector in self.options.collectors()]
        spark = spark_environment() if self.options.engine == SPARK else {}
        self.cloud.start(stream_limits(kinds) | local_airflow.inherited_environment() | spark)
        first = "creating its database, once for all runs: a minute more"
        self.status.begin("Airflow", first if self.database.is_new else "starting its database")
        environment = self._airflow_environment()
        local_airflow.write_environment(self.layout.var / "airflow.env", environment)
        local_airflow.start_database(self.database, environment)
        self.airflow.start_api()
        self.status.say("Airflow", "api-server is starting")
        self.cloud.wait()
        self.status.done("local AWS", self.cloud.endpoint)

    def _provision(self) -> None:
        self.status.begin("resources")
        self.collectors.store_tokens()
        provisions = [(names, Provision(self.cloud.client, names)) for names in self.collectors.names.values()]
        if not all(provision.exists() for _, provision in provisions):
            for kind in Provision(self.cloud.client, self.names).base():
                self.status.say("resources", kind)
            self.collectors.register()
            for names, provision in provisions:
                provision.streamer(unit=names.streamer.service)
        else:
            Provision(self.cloud.client, self.names).upgrade()
        self.status.done("resources", f"database {self.names.database}, results in {self.names.buckets['results']}")
        self.status.begin("streamer", "its instance is starting")
        self.status.begin("delivery")

    def _wait_for_airflow(self) -> None:
        self.airflow.start_rest()
        self.airflow.make_pools(self.layout.root / "include" / "pools.json")
        self.status.say("Airflow", "reading the DAGs")
        deadline = time.monotonic() + DAGS_SECONDS
        while missing := set(DAGS) - self.airflow.known_dags():
            if time.monotonic() > deadline:
                raise DagsMissing(missing, self.airflow.import_errors())
            self._pause()
        self.status.done("Airflow", self.airflow.url)

    def _wait_for_delivery(self) -> tuple[Heartbeats, DeliveredLines]:
        """Wait until what the streamers had sent, when they had sent enough, is in the raw zone; returns both ends.

        "Enough" is all of a replay, or what a live source gave in its first minute.
        """
        prefix = self.names.delivery["posts"].prefix.split("dt=")[0]
        names = self.collectors.names
        delivered = DeliveredLines(self.cloud.client("s3"), self.names.buckets["raw"], prefix, collectors=names)
        enough: Heartbeats | None = None
        moved = time.monotonic()
        last = (0, 0)
        while enough is None or not arrived(delivered, enough):
            heartbeats = self.collectors.look()
            delivered.update()
            if enough is None and self.collectors.have_enough:
                enough = heartbeats
                self.status.done("streamer", self.collectors.progress)
            if (now := (self.collectors.acknowledged, delivered.lines)) != last:
                moved = time.monotonic()
                last = now
            if time.monotonic() - moved > STILL_SECONDS:
                raise DeliveryStands(delivered.lines, self.collectors.acknowledged, STILL_SECONDS, self.layout.logs)
            self.status.say("streamer", self.collectors.progress)
            self.status.say("delivery", f"{delivered.lines:,} lines in {delivered.objects} objects")
            self._pause()
        self.status.done("delivery")
        return enough, delivered

    def _wait_for_heartbeat(self) -> None:
        """Wait until the streamers run. One that does not by then is a case for `supervise_streamer`, which heals it;
        asked any sooner, that would restart a streamer that is still starting.
        """
        deadline = time.monotonic() + STILL_SECONDS
        while self.collectors.look() is None and time.monotonic() < deadline:
            self._pause()

    def _trigger(self, dag_id: str, conf: JsonObject | None = None) -> Run:
        """Start a run by hand, as a person would."""
        self.status.begin(dag_id)
        restarts = self.parts.restarts
        run_id = self.airflow.trigger(dag_id, conf or {})
        self.airflow.unpause(dag_id)
        run = Run(dag_id=dag_id, run_id=run_id, conf=conf or {}, restarts=restarts)
        self.runs[dag_id] = run
        return run

    def _wait_for_run(self, run: Run) -> None:
        """Return when the run ended well. A run that failed while a part was down is repeated.

        Raises RunFailed, RunTooSlow.
        """
        while not self._succeeds(run):
            if self.parts.restarts == run.restarts:
                failed = self.airflow.failed_tasks(run.dag_id, run.run_id)
                raise RunFailed(run.dag_id, run.run_id, failed, self.layout.logs / "tasks")
            run = self._trigger(run.dag_id, run.conf)
        self.status.done(run.dag_id, _progress(self.airflow.tasks(run.dag_id, run.run_id)))

    def _succeeds(self, run: Run) -> bool:
        """Wait for the end of the run. Raises RunTooSlow when nothing about it changes any more."""
        moved = listed = time.monotonic()
        progress = ""
        while (state := self.airflow.run_state(run.dag_id, run.run_id)) not in ("success", "failed"):
            now = time.monotonic()
            if now - moved > RUN_STILL_SECONDS:
                raise RunTooSlow(run.dag_id, run.run_id, RUN_STILL_SECONDS, progress)
            if now - listed > _TASKS_PAUSE:
                listed = now
                last = progress
                progress = _progress(self.airflow.tasks(run.dag_id, run.run_id))
                moved = now if progress != last else moved
                self.status.say(run.dag_id, progress)
            self._pause()
        return state == "success"

    def _count_with_spark(self) -> None:
        """Have Spark count the stream's windows, and compare them with the streamer's and the lake's."""
        self.status.begin(SPARK)
        spark = Spark(
            client=self.cloud.client,
            names=self.names,
            project=self.layout.root,
            logs=self.layout.logs,
            pause=self._pause,
        )
        self.status.done(SPARK, spark.count(lambda detail: self.status.say(SPARK, detail)))

    def _copy_results(self) -> None:
        """Leave a copy of all that was exported below var/results, by the same keys; the pointer last, as it was."""
        s3 = self.cloud.client("s3")
        bucket = self.names.buckets["results"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        for key in sorted(keys, key=lambda name: name == LATEST):
            target = self.layout.results / key
            if key == LATEST or not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, key, str(target))

    def _copy_newer_results(self) -> None:
        """Copy again when another run was exported."""
        newest = Results(self.cloud.client("s3"), self.names.buckets["results"]).latest()
        if newest["run"] != newest_manifest(self.layout.results)["run"]:
            self._copy_results()

    def _write_timings(self) -> None:
        """Leave the seconds of every step, of every task of the main job's runs and of Athena itself in
        var/log/timings.json.
        """
        tasks = {run.dag_id: self.airflow.task_seconds(run.dag_id, run.run_id) for run in self.runs.values()}
        timings = {"steps": self.status.seconds, "tasks": tasks, "athena": self._athena_seconds()}
        text = json.dumps(timings, indent=2)
        (self.layout.logs / "timings.json").write_text(text + "\n", encoding="utf-8")

    def _athena_seconds(self) -> float:
        """How long Athena worked on the workgroup's statements, one after the other."""
        athena = self.cloud.client("athena")
        pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=self.names.workgroup)
        queries = [query for page in pages for query in page["QueryExecutionIds"]]
        executions = [athena.get_query_execution(QueryExecutionId=query)["QueryExecution"] for query in queries]
        return (
            float(sum(execution["Statistics"].get("TotalExecutionTimeInMillis", 0) for execution in executions)) / 1000
        )

    def _airflow_environment(self) -> dict[str, str]:
        return {
            **local_airflow.inherited_environment(),
            **self.cloud.role_environment(self.names.roles["airflow"]),
            **local_airflow.settings(
                self.layout,
                self.database,
                self.options.port,
                self.cloud.endpoint,
                self.names.region,
                scheduled=not self.options.once,
            ),
            "POSTRANK_ENVIRONMENT": self.names.environment,
            "POSTRANK_ACCOUNT": self.names.account,
            "POSTRANK_POLL_SECONDS": "1",
            **({"POSTRANK_WAREHOUSE_QUEUE": self._queue_url()} if self.options.app and not self.options.once else {}),
        }

    def _queue_url(self) -> str:
        """The queue of the warehouse as the local AWS calls it; it is made with the warehouse."""
        return f"{self.cloud.endpoint}/{self.names.account}/{self.names.warehouse_queue}"

    def _pause(self) -> None:
        self._look_after()
        time.sleep(_PAUSE)

    def _look_after(self) -> None:
        self.parts.check()
        check_room(self.layout.var)


def _progress(tasks: list[Document]) -> str:
    """Where a DAG run stands: how many tasks ended, and which are at work."""
    ended = sum(task["state"] in ("success", "skipped") for task in tasks)
    at_work = sorted({task["task_id"] for task in tasks if task["state"] in ("running", "deferred")})
    return f"{ended} of {len(tasks)} tasks" + (f", now {', '.join(at_work)}" if at_work else "")
