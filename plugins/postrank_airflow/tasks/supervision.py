"""The tasks of `supervise_streamer`: look, judge, choose what to do, see whether it helped."""

import logging
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.operators.ssm import SsmRunCommandOperator
from airflow.sdk import Context, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.aws.resources import MAIN
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.supervision.diagnosis import ESCALATE, HEALING, NOTHING, WAIT, judge
from postrank.supervision.history import History
from postrank_airflow.connections import alerts, clients
from postrank_airflow.connections.environment import POLL_SECONDS, RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.dag.run_note import add_to_note, reason_in_note
from postrank_airflow.tasks.collectors import named

# Of the same collector: without an index, the outputs of all collectors come as a list.
INSTANCE = "{{ ti.xcom_pull(task_ids='diagnose_streamer', map_indexes=ti.map_index)['instance_id'] }}"
# In a mapped group, `none_failed_min_one_success` is held against the tasks of all collectors before a task has
# instances of its own (Airflow 3.3): one that failed would keep the others' from existing. This rule is not.
NONE_FAILED = "none_failed"
LOOK_SECONDS = min(POLL_SECONDS, 5)
COMMAND_SECONDS = 120  # what a command on the instance may take
_SECONDS_TO_HEAL = 240
_log = logging.getLogger(__name__)


class StreamerUnwell(Fatal):
    """The streamer does not collect, and a human is needed."""


@task
@reason_in_note
def describe_instance(collector: str) -> Document:
    """Find the collector's instance, and whether it answers Systems Manager. Skipped during a deployment."""
    observer = clients.observer(collector)
    if (marker := observer.deploy_marker()) is not None:
        since = marker.get("since", "an unknown time")
        reason = f"a deployment has been running since {since}: nothing is changed"
        raise AirflowSkipException(named(collector, reason))
    sight = observer.look()
    return {"instance_id": sight.instance_id, "reachable": sight.reachable, "collector": collector}


@task(trigger_rule=NONE_FAILED)
def diagnose_streamer(collector: str, instance: Document | None, command: Any) -> Document:
    """Put instance, service and heartbeat together; remember what will be tried, and tell humans of it."""
    if instance is None:
        raise AirflowSkipException("the instance was not looked at")
    observer = clients.observer(collector)
    sight = replace(observer.look(), service=observer.service(instance["instance_id"], command))
    history = History(clients.client("s3"), RESOURCES.buckets["lake"], observer.resources.keys["supervision"])
    tried = history.tried()
    verdict = judge(sight, tried)
    finding = verdict.finding if verdict.action in (NOTHING, ESCALATE) else f"{verdict.finding}: {verdict.action}"
    configuration = sight.heartbeat.configuration_text() if sight.heartbeat else ""
    add_to_note(named(collector, f"{finding}; {configuration}" if configuration else finding))
    history.remember([] if verdict.well else [*tried, verdict.action])
    if verdict.action not in (NOTHING, WAIT):
        alerts.tell(f"Postrank: {_subject(collector)} unwell, {verdict.action}", verdict.finding)
    document = {**asdict(verdict), "instance_id": sight.instance_id, "at": sight.at.isoformat()}
    return {**document, "collector": collector}


@task
def choose_remedy(verdict: Document) -> str:
    """The one healing step of this run. Skipped where there is none, and all remedies with it."""
    if verdict["action"] not in HEALING:
        raise AirflowSkipException("there is nothing to heal")
    return str(verdict["action"])


@task
def report_finding(verdict: Document) -> str:
    """Nothing is done: the streamer is well, or time must pass, or a human is needed (which fails)."""
    if verdict["action"] == ESCALATE:
        raise StreamerUnwell(named(verdict["collector"], verdict["finding"]))
    if verdict["action"] in HEALING:
        raise AirflowSkipException(f"{verdict['action']} is tried")
    return str(verdict["finding"])


def only_if_chosen(context: Context) -> None:
    """Skip a remedy that `choose_remedy` did not choose for its collector.

    A branch does not do: of a mapped group, Airflow (3.3) skips only the instances of tasks that exist when the branch
    is taken, and runs all others.
    """
    chosen: str = _pulled("choose_remedy")
    if context["ti"].task_id != chosen:
        raise AirflowSkipException(f"{chosen} was chosen")


@task.sensor(
    poke_interval=LOOK_SECONDS,
    timeout=_SECONDS_TO_HEAL,
    mode="reschedule",
    trigger_rule=NONE_FAILED,
    retries=0,
)
def require_healed() -> bool:
    """After a healing step: wait until the streamer beats again. A time-out fails the run of its collector."""
    if _pulled("choose_remedy") is None:
        raise AirflowSkipException("there was nothing to heal")
    verdict = _output("diagnose_streamer")
    sight = clients.observer(verdict["collector"]).look()
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


class ServiceOperator(SsmRunCommandOperator):
    """Sends an action to the service of a collector, on the instance that a task of the same collector saw.

    Skipped where there was none that answers.
    """

    def __init__(self, *, action: str, seen_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.action = action
        self.seen_by = seen_by

    def execute(self, context: Context) -> Any:
        """Send the command. Returns its id."""
        instance = _output(self.seen_by)
        if not instance.get("reachable", True):
            raise AirflowSkipException("no instance answers Systems Manager")
        observer = clients.observer(instance["collector"])
        self.run_command_kwargs = observer.command(instance["instance_id"], self.action)
        return super().execute(context)


def _output(task_id: str) -> Document:
    """The document that a task returned for the collector of the task that asks."""
    output: Document = _pulled(task_id)
    return output


def _pulled(task_id: str) -> Any:  # what tasks return differs
    instance = run_context().ti
    return instance.xcom_pull(task_ids=task_id, map_indexes=instance.map_index)


def _subject(collector: str) -> str:
    return "streamer" if collector == MAIN else f"collector {collector}"
