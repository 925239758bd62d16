"""The tasks of `supervise_streamer`: look, judge, choose what to do, see whether it helped."""

import logging
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.supervision.diagnosis import ESCALATE, HEALING, NOTHING, WAIT, judge
from postrank.supervision.history import History
from postrank_airflow.connections import alerts, clients
from postrank_airflow.connections.environment import POLL_SECONDS, RESOURCES
from postrank_airflow.dag.run_note import add_to_note, reason_in_note

INSTANCE = "{{ ti.xcom_pull(task_ids='diagnose')['instance_id'] }}"
DOES_NOTHING = "leave_alone"
LOOK_SECONDS = min(POLL_SECONDS, 5)
COMMAND_SECONDS = 120  # what a command on the instance may take
_SECONDS_TO_HEAL = 240
_log = logging.getLogger(__name__)


class StreamerUnwell(Fatal):
    """The streamer does not collect, and a human is needed."""


@task
@reason_in_note
def look_at_instance() -> list[Document]:
    """Find the instance; returns what to ask Systems Manager of it, if it answers. Skipped during a deployment."""
    if (marker := clients.observer().deploy_marker()) is not None:
        since = marker.get("since", "an unknown time")
        raise AirflowSkipException(f"a deployment has been running since {since}: nothing is changed")
    sight = clients.observer().look()
    return [{"InstanceIds": [sight.instance_id], "Parameters": {"Action": ["status"]}}] if sight.reachable else []


@task(trigger_rule="none_failed_min_one_success")
def diagnose(questions: list[Document], commands: Any) -> Document:
    """Put instance, service and heartbeat together; remember what will be tried, and tell humans of it."""
    observer = clients.observer()
    sight = replace(observer.look(), service=observer.service(questions, list(commands or ())))
    history = History(clients.client("s3"), RESOURCES.buckets["lake"])
    tried = history.tried()
    verdict = judge(sight, tried)
    add_to_note(verdict.finding if verdict.action in (NOTHING, ESCALATE) else f"{verdict.finding}: {verdict.action}")
    history.remember([] if verdict.well else [*tried, verdict.action])
    if verdict.action not in (NOTHING, WAIT):
        alerts.tell(f"Postrank: streamer unwell, {verdict.action}", verdict.finding)
    return {**asdict(verdict), "instance_id": sight.instance_id, "at": sight.at.isoformat()}


@task.branch
def choose_remedy(verdict: Document) -> str:
    """The one healing step of this run."""
    return verdict["action"] if verdict["action"] in HEALING else DOES_NOTHING


@task
def leave_alone(verdict: Document) -> str:
    """Nothing is done: the streamer is well, or time must pass, or a human is needed (which fails)."""
    if verdict["action"] == ESCALATE:
        raise StreamerUnwell(verdict["finding"])
    return str(verdict["finding"])


@task.sensor(
    poke_interval=LOOK_SECONDS,
    timeout=_SECONDS_TO_HEAL,
    mode="reschedule",
    trigger_rule="none_failed_min_one_success",
    retries=0,
)
def require_healed(verdict: Document) -> bool:
    """After a healing step: wait until the streamer beats again. A time-out fails the run."""
    if verdict["action"] not in HEALING:
        return True
    sight = clients.observer().look()
    beat = sight.heartbeat
    since = datetime.fromisoformat(verdict["at"])
    beats = beat is not None and datetime.fromisoformat(beat.written_at) > since
    healed = beats and sight.instance_state == "running" and sight.reachable
    _log.info(
        "%s: %s; instance %s is %s, last heartbeat %s",
        verdict["action"],
        verdict["finding"],
        sight.instance_id,
        sight.instance_state,
        beat.written_at if beat else None,
    )
    return healed


def command(action: str) -> Document:
    """What to send to the streamer's SSM document so that it acts on the instance of the verdict."""
    return {"InstanceIds": [INSTANCE], "Parameters": {"Action": [action]}}
