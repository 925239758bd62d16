"""`postrank status --environment`: what it says of an environment on the local AWS, part by part."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws.resources import Resources
from postrank.collectors.registry import Entry, Registry
from postrank.environments.facts import age
from postrank.heartbeat import Heartbeat
from postrank.laptop.provision import Provision

NAMES = Resources.of("local", "123456789012")
RESULTS, RAW = NAMES.buckets["results"], NAMES.buckets["raw"]
ALARM = "postrank-local-silent"
Facts = dict[str, dict[str, Any]]


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=50) as running:
        list(Provision(running.client, NAMES).base())
        yield running


@pytest.fixture
def run(aws: LocalAws) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs the command against the local AWS."""

    def status(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POSTRANK_"))}
        env = {**inherited, **aws.root_environment, "POSTRANK_ACCOUNT": NAMES.account, **more}
        argv = [sys.executable, "-m", "postrank", "status", *words]
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=patient(60))

    return status


def _facts(output: str) -> Facts:
    """The facts by topic; those of collectors by topic and name."""
    listed = json.loads(output)
    return {
        f"{fact['topic']} {fact['text'].split(':')[0]}" if fact["topic"] == "collector" else fact["topic"]: fact
        for fact in listed
    }


def _beat(aws: LocalAws, collector: str, *, finished: bool, at: datetime) -> None:
    beat = Heartbeat(
        phase="finished" if finished else "streaming",
        finished=finished,
        collector=collector,
        instance_id="i-0",
        source="replay",
        version="0.2.0",
        started_at=_text(at),
        written_at=_text(at),
        last_ack=_text(at),
        configuration={"version": 7, "checksum": "3f9a01c2b4d6e8", "phase": "active"},
    )
    key = NAMES.of_collector(collector).keys["heartbeat"]
    aws.client("s3").put_object(Bucket=RAW, Key=key, Body=beat.to_json())


def _gap(aws: LocalAws, at: datetime, *, recovered_by: str | None) -> None:
    row = {
        "collector": "main",
        "source": "x",
        "gap_from": _text(at - timedelta(hours=2)),
        "gap_to": _text(at - timedelta(hours=1)),
        "reason": "disconnected",
        "recovered_by": recovered_by,
        "noted_at": _text(at + timedelta(seconds=bool(recovered_by))),
    }
    key = f"{NAMES.keys['ledgers']}gaps/dt={at:%Y-%m-%d}/{recovered_by or 'open'}.ndjson"
    aws.client("s3").put_object(Bucket=RAW, Key=key, Body=json.dumps(row).encode() + b"\n")


def test_an_environment_in_trouble_and_then_well_is_told_part_by_part(aws: LocalAws, run: Any) -> None:
    s3, now = aws.client("s3"), datetime.now(UTC)
    Registry(s3, NAMES).publish([Entry("main", "x"), Entry("x-brands", "x")])
    _beat(aws, "main", finished=False, at=now - timedelta(minutes=20))
    _gap(aws, now, recovered_by=None)
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM,
        Namespace="Postrank",
        MetricName="posts",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="ignore",
    )
    aws.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="test")

    troubled = run("--environment", "local", "--json")
    facts = _facts(troubled.stdout)
    assert troubled.returncode == 1, troubled.stderr
    assert facts["collector main"]["text"].startswith(
        "main: version 0.2.0, streaming, heartbeat 20 min ago, there is no instance, configuration 7 (3f9a01c2b4d6)"
    )
    assert facts["collector x-brands"]["text"].startswith("x-brands: no heartbeat was ever written")
    assert facts["freshness"]["text"] == "nothing was delivered today or yesterday"
    assert facts["gaps"]["text"].startswith("1 open: x (main) from ")
    assert facts["alarms"]["text"].startswith(f"1 in ALARM: {ALARM}; ")
    assert facts["ranking"]["text"].startswith("nothing was exported")
    assert {topic for topic, fact in facts.items() if fact["is_well"] is False} == set(facts) - {
        "spend",
        "dags",
        "drift",
    }

    for name in ("main", "x-brands"):
        _beat(aws, name, finished=True, at=now - timedelta(minutes=5))
    _gap(aws, now, recovered_by="search")
    aws.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="test")
    key = f"raw/posts/dt={now:%Y-%m-%d}/hour={now:%H}/a.ndjson.gz"
    s3.put_object(Bucket=RAW, Key=key, Body=gzip.compress(b"{}\n"))
    latest = {"run": "scheduled-1", "exported_at": _text(now), "interval": {"end": "2026-11-24T05:00:00Z"}}
    s3.put_object(Bucket=RESULTS, Key="rankings/latest.json", Body=json.dumps(latest).encode())
    for day in ("01", "02"):
        report = {"date": f"{now:%Y-%m}-{day}", "currency": "USD", "cost": 0.25}
        s3.put_object(Bucket=RESULTS, Key=f"costs/dt={report['date']}.json", Body=json.dumps(report).encode())

    well = run("--environment", "local")
    assert well.returncode == 0, well.stdout + well.stderr
    lines = well.stdout.splitlines()
    assert [line.split()[1] for line in lines] == [
        *("collector", "collector", "freshness", "gaps", "alarms", "spend", "ranking", "dags", "drift")
    ]
    assert f"0.50 USD for Athena this month, up to {now:%Y-%m}-02" in well.stdout
    assert "scheduled-1 was exported" in well.stdout
    assert "✗" not in well.stdout


def test_what_may_not_be_read_hides_nothing_else(aws: LocalAws, run: Any) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket=RESULTS, Key="rankings/latest.json", Body=b"no JSON")
    try:
        outcome = run("--environment", "local", "--json")
    finally:
        s3.delete_object(Bucket=RESULTS, Key="rankings/latest.json")
    facts = _facts(outcome.stdout)
    assert facts["ranking"]["text"].startswith("cannot be read: ")
    assert facts["ranking"]["is_well"] is None
    assert {"freshness", "gaps", "alarms"} <= facts.keys()


def test_an_environment_that_does_not_exist_is_one_message(run: Any) -> None:
    outcome = run("--environment", "prod")
    assert outcome.returncode == 2
    assert outcome.stderr.count("\n") <= 2
    assert "the environment prod cannot be read" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert run("--json").returncode == 2


def test_an_age_has_one_unit() -> None:
    assert [age(seconds) for seconds in (0, 59, 60, 3599, 3600, 100_000, 172_800, 999_999)] == [
        *("0 s", "59 s", "1 min", "60 min", "1 h", "28 h", "2 days", "12 days")
    ]
