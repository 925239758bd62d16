"""OpenLineage's events of a ranking, as a consumer gets them over HTTP: built again from OpenLineage's own classes."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.patience import patient
from postrank.aws.glue import Catalogue, Partition
from tests.dags.conftest import NAMES
from tests.support.lake.ranked_lake import post

openlineage = pytest.importorskip("openlineage.client.event_v2", reason="the extra airflow brings OpenLineage's client")
ROOT = Path(__file__).resolve().parents[3]
HOUR = "2026-11-20T05"
OFF = """
import sys
from airflow.providers.openlineage.plugins.openlineage import OpenLineageProviderPlugin
assert OpenLineageProviderPlugin.listeners == [], OpenLineageProviderPlugin.listeners
assert "openlineage.client" not in sys.modules
"""


@contextmanager
def consumer() -> Iterator[tuple[str, list[Any]]]:
    """A server that takes events: its URL, and the events so far. What is no event gets status 400."""
    events: list[Any] = []

    class Events(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                events.append(run_event(json.loads(body)))
                status = 201
            except (KeyError, TypeError, ValueError) as error:
                print(f"no event: {error}: {body!r}", file=sys.stderr)
                status = 400
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Events)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", events
    finally:
        server.shutdown()
        server.server_close()


def run_event(body: dict) -> Any:
    """An event from its JSON. Raises ValueError, TypeError or KeyError for what OpenLineage does not know."""
    return openlineage.RunEvent(
        eventType=openlineage.RunState(body["eventType"]),
        eventTime=body["eventTime"],
        producer=body["producer"],
        run=openlineage.Run(**body["run"]),
        job=openlineage.Job(**body["job"]),
        inputs=[openlineage.InputDataset(**entry) for entry in body.get("inputs", [])],
        outputs=[openlineage.OutputDataset(**entry) for entry in body.get("outputs", [])],
    )


@pytest.fixture
def airflow(aws, tmp_path) -> dict[str, str]:
    """The environment of an Airflow with a database of its own, on the local AWS of the tests."""
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    command = [sys.executable, "-m", "airflow"]
    for words in (("db", "migrate"), ("pools", "import", str(ROOT / "include/pools.json"))):
        subprocess.run([*command, *words], env=env, check=True, capture_output=True, timeout=patient(120))
    return env


@pytest.mark.slow
def test_a_ranking_tells_what_its_statements_and_its_export_read_and_wrote(airflow, aws, deliver):
    deliver(HOUR, [post("l1", "ann", "2026-11-20T04:00:00.000Z")])
    location = f"s3://{NAMES.buckets['raw']}/raw/posts/dt={HOUR[:10]}/hour={HOUR[11:]}/"
    Catalogue(aws.client("glue"), NAMES.database).point("raw_posts", [Partition((HOUR[:10], HOUR[11:]), location)])
    with consumer() as (url, events):
        airflow["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps({"type": "http", "url": url})
        command = [sys.executable, "-m", "postrank_airflow.dag.single_run", "rank_authors"]
        completed = subprocess.run(
            command, env=airflow, cwd=ROOT, capture_output=True, text=True, check=False, timeout=patient(240)
        )
        assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]

    def datasets(task: str) -> tuple[set[str], set[str]]:
        """What the task read and wrote, by the events of its ends."""
        ends = [
            event
            for event in events
            if event.job.name == f"rank_authors.{task}" and event.eventType is openlineage.RunState.COMPLETE
        ]
        starts = {event.run.runId for event in events if event.eventType is openlineage.RunState.START}
        assert ends
        assert {event.run.runId for event in ends} <= starts
        read = {f"{entry.namespace}/{entry.name}" for event in ends for entry in event.inputs or []}
        written = {f"{entry.namespace}/{entry.name}" for event in ends for entry in event.outputs or []}
        return read, written

    catalogue = f"awsathena://athena.us-east-1.amazonaws.com/AwsDataCatalog.{NAMES.database}"
    assert datasets("post_versions")[1] == {f"{catalogue}.post_versions"}
    assert f"{catalogue}.arrivals" in datasets("post_versions")[0]
    assert datasets("arrivals") == ({f"{catalogue}.raw_posts"}, {f"{catalogue}.arrivals"})
    assert datasets("author_minutes")[1] == {f"{catalogue}.author_minutes"}
    assert datasets("author_ranking")[1] == {f"{catalogue}.author_ranking_revisions"}
    lake, results = (f"s3://{NAMES.buckets[name]}" for name in ("lake", "results"))
    assert datasets("publish_ranking") == ({f"{lake}/author_ranking_revisions"}, {f"{results}/rankings"})
    written = [entry for event in events for entry in event.outputs or [] if entry.name.endswith(".post_versions")]
    symlinks = written[0].facets["symlinks"]["identifiers"]
    assert [(entry["namespace"], entry["name"]) for entry in symlinks] == [(lake, "post_versions")]
    assert "author_id" in {column["name"] for column in written[0].facets["schema"]["fields"]}


def test_without_a_transport_nothing_listens_and_no_client_is_imported():
    env = {name: value for name, value in os.environ.items() if "OPENLINEAGE" not in name}
    subprocess.run([sys.executable, "-c", OFF], env=env, check=True, timeout=patient(60))
