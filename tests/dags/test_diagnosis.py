"""What is said and tried for each way in which a streamer can be unwell, and how the hops' accounts are held."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from postrank.delivery.conservation import NotConserved, Sample, balance_of_delivery, balance_of_streamer
from postrank.heartbeat import Heartbeat
from postrank.supervision.diagnosis import Sight, judge

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def _beat(age: timedelta = timedelta(0), contact: timedelta | None = None, *, finished: bool = False) -> Heartbeat:
    written = (NOW - age).isoformat()
    return Heartbeat(
        phase="finished" if finished else "streaming",
        finished=finished,
        collector="c",
        instance_id="i-1",
        source="bluesky",
        version="0",
        started_at=written,
        written_at=written,
        last_source_contact=(NOW - (age if contact is None else contact)).isoformat(),
    )


WELL = Sight(
    at=NOW,
    instance_id="i-1",
    instance_state="running",
    reachable=True,
    service={"ActiveState": "active"},
    heartbeat=_beat(),
)


@pytest.mark.parametrize(
    ("sight", "word"),
    [
        (WELL, "well"),
        (replace(WELL, heartbeat=_beat(contact=timedelta(hours=1))), "quiet"),
        (replace(WELL, heartbeat=_beat(timedelta(hours=9), finished=True), service={}), "finished"),
    ],
)
def test_a_streamer_that_works_is_left_alone(sight, word):
    verdict = judge(sight, [])
    assert verdict.well
    assert word in verdict.finding


@pytest.mark.parametrize(
    ("sight", "ladder"),
    [
        (
            replace(WELL, service={"ActiveState": "failed", "Result": "exit-code"}),
            ["restart_service", "reboot_instance", "replace_instance", "escalate"],
        ),
        (
            replace(WELL, heartbeat=_beat(timedelta(hours=1))),
            ["restart_service", "restart_service", "replace_instance", "escalate"],
        ),
        (replace(WELL, reachable=False), ["wait", "reboot_instance", "replace_instance", "escalate"]),
        (
            replace(WELL, instance_state="stopped", reachable=False),
            ["start_instance", "start_instance", "replace_instance", "escalate"],
        ),
        (replace(WELL, instance_state="missing", instance_id=None, reachable=False), ["wait", "wait", "escalate"]),
        (replace(WELL, lost_streams=["postrank-prod-posts"]), ["escalate", "escalate"]),
    ],
)
def test_healing_climbs_a_step_each_time_and_then_calls_a_human(sight, ladder):
    tried: list[str] = []
    for step in ladder:
        verdict = judge(sight, tried)
        assert not verdict.well
        assert verdict.action == step
        tried.append(verdict.action)
    assert judge(sight, tried).action == "escalate"


def test_what_is_escalated_says_what_was_tried_and_what_to_do():
    stuck = replace(WELL, heartbeat=_beat(timedelta(hours=1)))
    finding = judge(stuck, ["restart_service", "restart_service", "replace_instance"]).finding
    assert "tried restart_service, restart_service, replace_instance" in finding
    assert "postrank doctor" in finding


def test_a_streamer_that_loses_lines_is_told_with_its_numbers():
    counts = {"read": 10, "events": 9, "rejected": 1, "delivered": 7, "spooled": 1, "in_flight": 1}
    assert "read 10 = 9 events + 1 rejected" in balance_of_streamer(counts)
    with pytest.raises(NotConserved, match=r"hop streamer: 9 in, .* = 8 out"):
        balance_of_streamer({**counts, "delivered": 6})


def test_lines_may_be_under_way_but_not_for_ever():
    samples = [Sample(NOW - timedelta(hours=1), 100), Sample(NOW, 150)]
    transit = timedelta(minutes=10)
    assert "50 are in transit" in balance_of_delivery(samples, 100, NOW, transit)
    assert "2 are duplicates" in balance_of_delivery(samples, 152, NOW, transit)
    with pytest.raises(NotConserved, match=r"100 lines .* 99 are in the lake: 1 are missing"):
        balance_of_delivery(samples, 99, NOW, transit)
