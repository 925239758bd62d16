"""`supervise_streamer` against faults made on a local AWS: each is healed, or ends in what a human must do.

The streamer's unit is a program that only beats; its group, instance, agent and service are the local AWS's own.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.instances import alive
from localaws.testing.patience import patient
from localaws.testing.server import LocalAws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.collectors.registry import Entry, Registry
from postrank.heartbeat import NoHeartbeat, read_heartbeat
from postrank.laptop.provision import Provision
from tests.dags.conftest import NAMES, provisioned

pytestmark = [pytest.mark.timeout(patient(120)), pytest.mark.in_file_order]

_RAW, _BEAT = NAMES.buckets["raw"], NAMES.keys["heartbeat"]
_SECONDS_TO_HEAL = 12  # instances boot at once here
_PROGRAM = """
import os, sys, threading
from datetime import UTC, datetime
import boto3
from postrank.heartbeat import Heartbeat

s3, pause, started = boto3.client("s3"), threading.Event(), datetime.now(UTC).isoformat()
while not pause.wait(0.3):
    now = datetime.now(UTC).isoformat()
    beat = Heartbeat(
        phase="streaming", finished=False, collector=str(os.getpid()), instance_id=os.environ["INSTANCE_ID"],
        source="test", version="0", started_at=started, written_at=now, last_source_contact=now,
    )
    s3.put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=beat.to_json())
"""


@dataclass
class Streamer:
    """The streamer's instance from outside."""

    aws: LocalAws
    key: str = _BEAT

    def beat(self) -> Any:
        """The heartbeat, when it is fresh and its process lives; else None."""
        try:
            found = read_heartbeat(self.aws.client("s3"), _RAW, self.key)
        except NoHeartbeat:
            return None
        fresh = datetime.now(UTC) - datetime.fromisoformat(found.written_at) < timedelta(seconds=5)
        return found if fresh and alive(int(found.collector)) else None

    def current(self) -> Any:
        """The next fresh heartbeat."""
        return wait_for(self.beat, timeout=30, what="the streamer to beat")

    def state(self, instance: str) -> str:
        told = self.aws.client("ec2").describe_instances(InstanceIds=[instance])
        return str(told["Reservations"][0]["Instances"][0]["State"]["Name"])

    def await_state(self, instance: str, wanted: str) -> None:
        wait_for(lambda: self.state(instance) == wanted, timeout=20, what=f"{instance} to be {wanted}")

    def age(self, by: timedelta) -> None:
        """Let the last heartbeat be as old as it would be after that time."""
        s3 = self.aws.client("s3")
        found = read_heartbeat(s3, _RAW, _BEAT)
        written = (datetime.fromisoformat(found.written_at) - by).isoformat()
        s3.put_object(Bucket=_RAW, Key=_BEAT, Body=replace(found, written_at=written).to_json())


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder = tmp_path_factory.mktemp("supervised")
    (folder / "beats.py").write_text(_PROGRAM)
    with provisioned(folder, _unit(folder, NAMES)) as running:
        other = NAMES.of_collector("x-brands")
        (folder / "units" / f"{other.streamer.service}.toml").write_text(_unit(folder, other), encoding="utf-8")
        Provision(running.client, NAMES).streamer(NAMES.streamer.service)
        yield running


def _unit(folder: Path, names: Resources) -> str:
    argv = [sys.executable, str(folder / "beats.py"), _RAW, names.keys["heartbeat"]]
    return f'argv = {json.dumps(argv)}\nrestart = "no"\nstop_timeout_seconds = 1\n'


@pytest.fixture(scope="module")
def supervise(breakable, dags, run_dag):
    dags["supervise_streamer"].get_task("require_healed").timeout = patient(_SECONDS_TO_HEAL)

    def run() -> Any:
        return run_dag("supervise_streamer")

    return run


@pytest.fixture
def streamer(breakable, supervise) -> Streamer:
    """A streamer that beats, and that the last run found well."""
    found = Streamer(breakable)
    found.current()
    breakable.client("s3").delete_object(Bucket=NAMES.buckets["lake"], Key="state/supervision.json")
    return found


def _finding(outcome: Any) -> str:
    return str(outcome.returned("diagnose_streamer")["finding"])


def test_a_streamer_that_works_is_left_alone(streamer, supervise):
    before = streamer.current().collector
    outcome = supervise()
    assert (outcome.state, outcome.tasks["report_finding"]) == ("success", "success")
    assert _finding(outcome).startswith("well: ")
    assert streamer.current().collector == before


def test_a_killed_service_is_restarted(streamer, supervise):
    killed = int(streamer.current().collector)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: not alive(killed), what="its end")
    outcome = supervise()
    assert (outcome.state, outcome.tasks["restart_service"]) == ("success", "success")
    assert "is failed" in _finding(outcome)
    assert int(streamer.current().collector) != killed


def test_a_hung_service_is_told_from_a_quiet_one_and_restarted(streamer, supervise):
    hung = int(streamer.current().collector)
    os.kill(hung, signal.SIGSTOP)
    streamer.age(timedelta(minutes=5))
    outcome = supervise()
    assert (outcome.state, outcome.tasks["restart_service"]) == ("success", "success")
    assert _finding(outcome).startswith("stuck: ")
    assert int(streamer.current().collector) != hung


def test_a_stopped_instance_is_started(streamer, supervise, breakable):
    instance = streamer.current().instance_id
    member = {"AutoScalingGroupName": NAMES.streamer.name, "InstanceIds": [instance]}
    breakable.client("autoscaling").enter_standby(**member, ShouldDecrementDesiredCapacity=True)
    breakable.client("ec2").stop_instances(InstanceIds=[instance])
    streamer.await_state(instance, "stopped")
    outcome = supervise()
    breakable.client("autoscaling").exit_standby(**member)
    assert (outcome.state, outcome.tasks["start_instance"]) == ("success", "success")
    assert streamer.current().instance_id == instance


def test_a_terminated_instance_is_replaced_by_its_group(streamer, supervise, breakable):
    gone = streamer.current().instance_id
    breakable.client("ec2").terminate_instances(InstanceIds=[gone])
    outcome = supervise()
    assert outcome.state == "success"
    wait_for(lambda: (beat := streamer.beat()) and beat.instance_id != gone, timeout=20, what="another instance")
    assert _finding(supervise()).startswith("well: ")


def test_an_instance_whose_agent_is_silent_is_rebooted_and_then_replaced(
    streamer, supervise, breakable, dags, monkeypatch
):
    instance = streamer.current().instance_id
    fault = [{"Key": "localaws:fault", "Value": "ssm-unreachable"}]
    breakable.client("ec2").create_tags(Resources=[instance], Tags=fault)
    waited = supervise()
    assert (waited.state, waited.tasks["report_finding"]) == ("success", "success")
    assert "does not respond to Systems Manager" in _finding(waited)
    with monkeypatch.context() as impatient:  # a reboot does not heal it, however long that is waited for
        impatient.setattr(dags["supervise_streamer"].get_task("require_healed"), "timeout", _SECONDS_TO_HEAL)
        rebooted = supervise()
    assert (rebooted.state, rebooted.tasks["reboot_instance"]) == ("failed", "success")
    replaced = supervise()
    assert (replaced.state, replaced.tasks["replace_instance"]) == ("success", "success")
    wait_for(lambda: streamer.current().instance_id != instance, timeout=30, what="the new instance's heartbeat")
    assert _finding(supervise()).startswith("well: ")


def test_nothing_is_touched_while_a_deployment_goes_on(streamer, supervise, breakable):
    marker = {"Bucket": _RAW, "Key": NAMES.keys["deploy_marker"]}
    breakable.client("s3").put_object(**marker, Body=b'{"since": "2026-11-24T05:00:00Z"}')
    streamer.age(timedelta(minutes=5))
    outcome = supervise()
    breakable.client("s3").delete_object(**marker)
    assert {state for task, state in outcome.tasks.items() if task != "list_collectors"} == {"skipped"}


def test_a_marker_that_a_killed_deployment_left_keeps_nobody_away(streamer, supervise, breakable):
    marker = {"Bucket": _RAW, "Key": NAMES.keys["deploy_marker"]}
    left = {"since": "2026-11-24T05:00:00.000Z", "until": "2026-11-24T05:02:00.000Z"}
    breakable.client("s3").put_object(**marker, Body=json.dumps(left).encode())
    outcome = supervise()
    breakable.client("s3").delete_object(**marker)
    assert (outcome.state, outcome.tasks["report_finding"]) == ("success", "success")


@pytest.fixture
def second(breakable, streamer) -> Iterator[Streamer]:
    """Another collector beside main, on an instance of its own."""
    names = NAMES.of_collector("x-brands")
    registry = Registry(breakable.client("s3"), NAMES)
    registry.publish([Entry("main"), Entry("x-brands")])
    Provision(breakable.client, names).streamer(names.streamer.service)
    running = Streamer(breakable, names.keys["heartbeat"])
    running.current()
    yield running
    registry.publish([])
    breakable.client("s3").delete_object(Bucket=NAMES.buckets["lake"], Key=names.keys["supervision"])


def _kill(streamer: Streamer) -> int:
    killed = int(streamer.current().collector)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: not alive(killed), what="its end")
    return killed


def _asked(aws: LocalAws) -> list[int]:
    """How often acts on instances were asked for so far."""
    actions = [str(call["action"]) for call in aws.call_log()]
    return [actions.count(act) for act in ("StartInstances", "RebootInstances", "TerminateInstances")]


def test_each_collector_is_healed_by_itself_and_named_in_the_ui(streamer, second, supervise, breakable):
    before = int(streamer.current().collector)
    killed = _kill(second)
    asked = _asked(breakable)
    outcome = supervise()
    assert outcome.state == "success"
    assert outcome.of_collector["main"]["report_finding"] == "success"
    assert outcome.of_collector["x-brands"]["restart_service"] == "success"
    assert _asked(breakable) == asked, "and no other remedy"
    assert int(streamer.current().collector) == before
    assert int(second.current().collector) != killed
    assert "x-brands: the service on " in outcome.note


def test_a_broken_collector_neither_hides_nor_stops_another(streamer, second, supervise, breakable):
    history = {"Bucket": NAMES.buckets["lake"], "Key": NAMES.of_collector("x-brands").keys["supervision"]}
    breakable.client("s3").put_object(**history, Body=b"no JSON")
    killed = _kill(streamer)
    outcome = supervise()
    assert outcome.state == "failed"
    assert outcome.of_collector["x-brands"]["diagnose_streamer"] == "failed"
    assert outcome.of_collector["main"]["restart_service"] == "success"
    assert outcome.of_collector["main"]["require_healed"] == "success"
    assert int(streamer.current().collector) != killed


def test_a_deployment_of_one_collector_keeps_nobody_from_another(streamer, second, supervise, breakable):
    marker = {"Bucket": _RAW, "Key": NAMES.of_collector("x-brands").keys["deploy_marker"]}
    breakable.client("s3").put_object(**marker, Body=b'{"since": "2026-11-24T05:00:00Z"}')
    _kill(streamer)
    outcome = supervise()
    breakable.client("s3").delete_object(**marker)
    assert outcome.state == "success"
    assert set(outcome.of_collector["x-brands"].values()) == {"skipped"}
    assert outcome.of_collector["main"]["restart_service"] == "success"


def test_a_lost_stream_ends_in_what_a_human_must_do(streamer, supervise, breakable):
    kinesis, lost = breakable.client("kinesis"), NAMES.streams["posts"]
    kinesis.delete_stream(StreamName=lost, EnforceConsumerDeletion=True)

    def is_lost() -> bool:
        return lost not in kinesis.list_streams()["StreamNames"]

    wait_for(is_lost, timeout=20, what="the stream's end")
    outcome = supervise()
    assert (outcome.state, outcome.tasks["report_finding"]) == ("failed", "failed")
    assert _finding(outcome) == f"Kinesis has no stream {lost}, which a restart cannot restore: apply Terraform"
