"""Airflow and a local AWS for tests of DAGs: a home of its own, set up before anything imports airflow."""

import gzip
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema
import pytest
from botocore.loaders import create_loader

_ROOT = Path(__file__).resolve().parents[2]
_HOME = Path(tempfile.mkdtemp(prefix="postrank-airflow-"))

os.environ.update(
    {
        "AIRFLOW_HOME": str(_HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(_ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(_HOME / "no-plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        # Runs are those of one process; whoever answers a question of one, in another, waits for its turn at the file.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME / 'airflow.db'}?timeout=120",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "POSTRANK_ENVIRONMENT": "local",
        "POSTRANK_ACCOUNT": "123456789012",
        "POSTRANK_POLL_SECONDS": "1",
        # The local AWS runs the programs of Spark jobs by themselves: the DAGs are tested here, not Spark.
        "LOCALAWS_SPARK_SUBMIT": str(_ROOT / "tests/support/spark/spark-submit"),
    }
)
sys.path.insert(0, str(_ROOT / "plugins"))

from localaws.testing.server import LocalAws, running_localaws  # noqa: E402
from postrank.aws.resources import Resources  # noqa: E402 (after the environment)
from postrank.heartbeat import Heartbeat  # noqa: E402
from tests.support import permissions  # noqa: E402

NAMES = Resources.of("local", "123456789012")
UNIT = 'argv = ["sleep", "3600"]\nrestart = "always"\n'
_CONNECTION = "AIRFLOW_CONN_AWS_DEFAULT"


@dataclass(frozen=True)
class Outcome:
    """How a run of a DAG ended: its state, the state of each task, its note and the version that it names; what tasks
    returned, where their buttons lead. `of_collector` has the states of the tasks that were mapped, by what the UI
    calls each.
    """

    state: str
    tasks: dict[str, str]
    of_collector: dict[str, dict[str, str]]
    returned: Callable[..., Any]
    note: str | None
    version: str
    link: Callable[..., str | None]


@contextmanager
def provisioned(folder: Path, unit: str, *, is_evidence: bool = True) -> Iterator[LocalAws]:
    """A local AWS with all that Postrank has in production but the instance, whose unit would be `unit`; and Airflow's
    connection to it, as Airflow's role, which is allowed no more than in production. Its calls are evidence of what
    roles need, unless a test takes permissions away.
    """
    from postrank.laptop.provision import Provision

    (folder / "units").mkdir()
    (folder / "units" / f"{NAMES.streamer.service}.toml").write_text(unit, encoding="utf-8")
    with running_localaws(folder, speed=50, units=folder / "units", enforce_iam=True) as running:
        list(Provision(running.client, NAMES).base())
        extra = {"region_name": "us-east-1", "endpoint_url": running.endpoint}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(_CONNECTION, json.dumps({"conn_type": "aws", "extra": extra}))
            for name, value in running.role_environment(NAMES.roles["airflow"]).items():
                patch.setenv(name, value)
            patch.delenv("AWS_ACCESS_KEY_ID", raising=False)
            yield running
        if is_evidence:
            permissions.gather(running.call_log())


@pytest.fixture(scope="session")
def aws(tmp_path_factory) -> Iterator[LocalAws]:
    """The local AWS of all tests that break nothing in it."""
    with provisioned(tmp_path_factory.mktemp("localaws"), UNIT) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def _shared_models() -> Iterator[None]:
    """Let the botocore sessions of all tasks share the models that they parse: each hook of a task makes a session of
    its own, and parsing again took half of the time of a run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(create_loader))
        yield


@pytest.fixture(scope="session")
def dags() -> dict[str, Any]:
    """The project's DAGs by name, whose tasks fail at their first try."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(str(_ROOT / "dags"))
    assert bag.import_errors == {}
    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    (bundle,) = manager.get_all_dag_bundles()
    sync_bag_to_db(bag, bundle.name, bundle.version)
    for dag in bag.dags.values():
        dag.deadline = None  # dag.test() cannot tell the time to one (apache/airflow#73428)
        for task in dag.tasks:
            _never_again(task)
    return dict(bag.dags)


@pytest.fixture(scope="session")
def _known_dags(dags) -> Iterator[None]:
    """Spare `dag.test()` what it does again at each run: it parses all DAGs and writes them down, and checks the schema
    of each param a hundred times. Both took a third of the time of a run.
    """
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    checked: set[str] = set()

    def validate(instance: Any, schema: dict[str, Any], **options: Any) -> None:
        validator = jsonschema.validators.validator_for(schema)
        text = json.dumps(schema, sort_keys=True)
        if text not in checked:
            validator.check_schema(schema)
            checked.add(text)
        if (error := jsonschema.exceptions.best_match(validator(schema, **options).iter_errors(instance))) is not None:
            raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DagBundlesManager, "get_all_dag_bundles", lambda _: iter(()))
        patch.setattr(jsonschema, "validate", validate)
        yield


@pytest.fixture(scope="session")
def run_dag(dags, _known_dags, _notes) -> Callable[..., Outcome]:
    """Runs a DAG as it stands, its deferred tasks included, to its end, on the local AWS of the test."""

    def run(dag_id: str, **conf: Any) -> Outcome:
        # In one process, params keep what an earlier run was given.
        finished = dags[dag_id].test(run_conf=conf or None)
        instances = {(ti.task_id, ti.map_index): ti for ti in finished.get_task_instances()}
        states = {task_id: str(ti.state) for (task_id, _), ti in instances.items()}

        def link(task_id: str, kind: str, map_index: int = -1) -> str | None:
            instance = instances[task_id, map_index]
            return instance.xcom_pull(task_id, key=f"_link_{kind}", map_indexes=map_index)

        mapped: dict[str, dict[str, str]] = {}
        for (task_id, map_index), ti in instances.items():
            if map_index >= 0:
                mapped.setdefault(ti.rendered_map_index or str(map_index), {})[task_id] = str(ti.state)

        def returned(task_id: str, map_index: int = -1) -> Any:
            place = map_index if (task_id, map_index) in instances else 0
            return instances[task_id, place].xcom_pull(task_id, map_indexes=place)

        return Outcome(
            str(finished.state),
            states,
            mapped,
            returned,
            *_note(finished.id),
            link,
        )

    return run


@pytest.fixture(scope="session")
def _notes() -> Iterator[None]:
    """The plug-in's listener of runs, as the tests' Airflow has no plug-ins. `dag.test()` gives it a run without a
    database session, where the scheduler gives it a row of its own.
    """
    from airflow.listeners import hookimpl
    from airflow.listeners.listener import get_listener_manager
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    from postrank_airflow.ui import note_listener

    class WithSession:
        @hookimpl
        def on_dag_run_success(self, dag_run: DagRun, msg: str) -> None:
            with create_session() as session:
                note_listener.on_dag_run_success(_row(dag_run, session), msg)

        @hookimpl
        def on_dag_run_failed(self, dag_run: DagRun, msg: str) -> None:
            with create_session() as session:
                note_listener.on_dag_run_failed(_row(dag_run, session), msg)

    def _row(dag_run: DagRun, session: Any) -> DagRun:
        row = session.get(DagRun, dag_run.id)
        row.dag = dag_run.dag
        return row

    listener = WithSession()
    manager = get_listener_manager()
    manager.add_listener(listener)
    yield
    manager.pm.unregister(listener)


def _note(run: int) -> tuple[str | None, str]:
    """The note of a run without the version at its end, and the version."""
    from airflow.models.dagrun import DagRunNote
    from airflow.utils.session import create_session

    with create_session() as session:
        note = session.get(DagRunNote, run)
    sentences, _, version = note.content.rpartition("version ") if note else ("", "", "")
    return sentences.removesuffix("; ") or None, version


def _never_again(task: Any) -> None:
    """Let a failing task fail at once: its retries would only make the test wait."""
    if isinstance(getattr(task, "partial_kwargs", None), dict):
        task.partial_kwargs["retries"] = 0
    else:
        task.retries = 0


@pytest.fixture(scope="session")
def deliver(aws) -> Callable[..., None]:
    """Puts an object of events into the raw zone, as Firehose does."""

    def put(hour: str, events: list[dict[str, Any]], name: str = "object") -> None:
        key = f"raw/posts/dt={hour[:10]}/hour={hour[11:]}/{name}.ndjson.gz"
        body = gzip.compress("".join(json.dumps(event) + "\n" for event in events).encode())
        aws.client("s3").put_object(Bucket=NAMES.buckets["raw"], Key=key, Body=body)

    return put


@pytest.fixture
def unaccounted(aws) -> None:
    """Forget what earlier tests had `check_delivery` account for: its account outlives a run, and the order of tests
    is random.
    """
    s3, bucket = aws.client("s3"), NAMES.buckets["lake"]
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix="state/delivery").get("Contents", ()):
        s3.delete_object(Bucket=bucket, Key=entry["Key"])


@pytest.fixture(scope="session")
def beat(aws) -> Callable[..., None]:
    """Writes a collector's heartbeat."""

    def write(
        *,
        delivered: int,
        finished: bool = False,
        at: datetime | None = None,
        collector: str = "main",
        **counts: int,
    ) -> None:
        now = (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        totals = {"read": delivered, "events": delivered, "delivered": delivered, **counts}
        heartbeat = Heartbeat(
            phase="finished" if finished else "streaming",
            finished=finished,
            collector="test",
            instance_id="i-0",
            source="replay",
            version="0",
            started_at=now,
            written_at=now,
            last_source_contact=now,
            last_ack=now,
            counts=totals,
        )
        key = NAMES.of_collector(collector).keys["heartbeat"]
        aws.client("s3").put_object(Bucket=NAMES.buckets["raw"], Key=key, Body=heartbeat.to_json())

    return write
