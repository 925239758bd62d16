"""The facts of an environment: versions, health, deployments, freshness, gaps, alarms, spend, the last ranking, drift.

Everything is read from AWS with calls that change nothing and cost next to nothing: no statement runs, no command is
sent to a host. A part that cannot be read is a fact of its own, and hides no other.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import MakeClient
from postrank.aws.resources import Resources
from postrank.collectors.registry import Registry
from postrank.deploy.dag_shelf import DagShelf
from postrank.environments.facts import Fact, age
from postrank.errors import PostrankError
from postrank.gaps import open_gaps
from postrank.heartbeat import Heartbeat
from postrank.lake.costs import COSTS
from postrank.ranking.export_reader import NothingExported, Results
from postrank.report.ledgers import Ledgers
from postrank.supervision.diagnosis import STALE
from postrank.supervision.observe import Observer

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

TRANSIT = timedelta(minutes=15)  # what Firehose may take to deliver, with a margin
RANKED_WITHIN = timedelta(hours=2)  # an hourly ranking, and the hour that it may take
DRIFT = "state/drift.json"  # in the artifacts bucket: the result of the nightly plan (infrastructure.yml)
DRIFT_WITHIN = timedelta(days=2)  # a night that was missed, and a margin
GAP_DAYS = 14  # of the ledger
_LISTED = 5  # gaps and alarms that a line names


@dataclass
class Status:
    """One look at an environment. `client` makes a service's boto3 client."""

    client: MakeClient
    resources: Resources
    now: datetime
    _heartbeats: dict[str, Heartbeat | None] = field(default_factory=dict, init=False)  # by collector, once read

    def facts(self) -> Iterator[Fact]:
        """Every fact, in the order in which a person asks. Raises what keeps the list of collectors from being read."""
        for name in self._collectors:
            yield from self._read("collector", partial(self._collector, name))
        parts: tuple[tuple[str, Callable[[], Iterator[Fact]]], ...] = (
            ("freshness", self._freshness),
            ("gaps", self._gaps),
            ("alarms", self._alarms),
            ("spend", self._spend),
            ("ranking", self._ranking),
            ("dags", self._dags),
            ("drift", self._drift),
        )
        for topic, part in parts:
            yield from self._read(topic, part)

    def _read(self, topic: str, part: Callable[[], Iterator[Fact]]) -> Iterator[Fact]:
        try:
            yield from part()
        except (ClientError, BotoCoreError, PostrankError) as error:
            yield Fact(topic, f"cannot be read: {error}")
        except (ValueError, KeyError) as error:  # an object that is no such document
            yield Fact(topic, f"cannot be read: {type(error).__name__}: {error}")

    @cached_property
    def _collectors(self) -> list[str]:
        return Registry(self.client("s3"), self.resources).names()

    def _collector(self, name: str) -> Iterator[Fact]:
        observer = Observer(self.client, self.resources.of_collector(name))
        sight = observer.look()
        beat = self._heartbeats[name] = sight.heartbeat
        where = "there is no instance"
        if sight.instance_id:
            where = f"instance {sight.instance_id} is {sight.instance_state}"
        if beat is None:
            yield Fact("collector", f"{name}: no heartbeat was ever written; {where}", is_well=False)
        else:
            since = self.now - datetime.fromisoformat(beat.written_at)
            words = [f"version {beat.version}", beat.phase, f"heartbeat {age(since.total_seconds())} ago", where]
            words += [text for text in (beat.configuration_text(), beat.error) if text]
            is_well = beat.finished or (since <= STALE and sight.instance_state == "running" and not beat.error)
            yield Fact("collector", f"{name}: {', '.join(words)}", is_well)
        if marker := observer.deploy_marker():
            text = f"{name}: version {marker.get('version')} is being deployed since {marker.get('since')}"
            yield Fact("deployment", text)

    def _freshness(self) -> Iterator[Fact]:
        newest = self._newest_object()
        if newest is None:
            yield Fact("freshness", "nothing was delivered today or yesterday", self._awaits(None))
            return
        text = f"the newest object arrived {age((self.now - newest).total_seconds())} ago"
        yield Fact("freshness", text, self._awaits(newest))

    def _awaits(self, newest: datetime | None) -> bool:
        """Whether nothing is overdue: what a stream acknowledged longer ago than a delivery takes has arrived."""
        texts = [beat.last_ack for beat in self._heartbeats.values() if beat is not None and beat.last_ack]
        acknowledged = [datetime.fromisoformat(text) for text in texts]
        overdue = [at for at in acknowledged if self.now - at > TRANSIT and (newest is None or at - newest > TRANSIT)]
        return not overdue

    def _newest_object(self) -> datetime | None:
        """When the newest object of posts was written, of those that arrived today or yesterday."""
        root = self.resources.delivery["posts"].prefix.split("!", 1)[0]
        pages = self.client("s3").get_paginator("list_objects_v2")
        written = [
            entry["LastModified"]
            for day in (self.now, self.now - timedelta(days=1))
            for page in pages.paginate(
                Bucket=self.resources.buckets["raw"], Prefix=root.replace("dt=", f"dt={day:%Y-%m-%d}")
            )
            for entry in page.get("Contents", ())
        ]
        return max(written, default=None)

    def _gaps(self) -> Iterator[Fact]:
        ledgers = Ledgers(self.client("s3"), self.resources.buckets["raw"], self.resources.keys["ledgers"])
        days = [(self.now - timedelta(days=number)).date().isoformat() for number in range(GAP_DAYS)]
        gaps = [gap for gap in open_gaps.unmarked(ledgers.rows("gaps", days), self._collectors) if gap.left]
        if not gaps:
            yield Fact("gaps", f"none is open that was noted in the last {GAP_DAYS} days", is_well=True)
            return
        listed = [f"{gap.source} ({gap.collector}) from {gap.left[0].since:%Y-%m-%d %H:%M} UTC" for gap in gaps]
        more = f" and {len(gaps) - _LISTED} more" if len(gaps) > _LISTED else ""
        yield Fact("gaps", f"{len(gaps)} open: {', '.join(listed[:_LISTED])}{more}", is_well=False)

    def _alarms(self) -> Iterator[Fact]:
        pages = self.client("cloudwatch").get_paginator("describe_alarms")
        prefix = f"postrank-{self.resources.environment}-"
        alarms: list[MetricAlarmTypeDef] = [
            alarm for page in pages.paginate(AlarmNamePrefix=prefix) for alarm in page["MetricAlarms"]
        ]
        if not alarms:
            yield Fact("alarms", f"there are none whose names begin with {prefix}")
            return
        ringing = sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")
        counts = Counter(alarm["StateValue"] for alarm in alarms)
        text = f"{counts['OK']} OK, {counts['INSUFFICIENT_DATA']} without data"
        if ringing:
            more = f" and {len(ringing) - _LISTED} more" if len(ringing) > _LISTED else ""
            text = f"{len(ringing)} in ALARM: {', '.join(ringing[:_LISTED])}{more}; {text}"
        yield Fact("alarms", text, not ringing)

    def _spend(self) -> Iterator[Fact]:
        """What Athena cost this month, by the daily reports of `maintain_lake`: other services report to AWS alone."""
        s3, bucket = self.client("s3"), self.resources.buckets["results"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{COSTS}dt={self.now:%Y-%m}")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        reports = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
        if not reports:
            yield Fact("spend", "no report of this month's Athena costs yet: maintain_lake writes one a day")
            return
        total = sum(report["cost"] for report in reports)
        last = max(date.fromisoformat(report["date"]) for report in reports)
        yield Fact("spend", f"{total:.2f} {reports[0]['currency']} for Athena this month, up to {last}")

    def _ranking(self) -> Iterator[Fact]:
        try:
            latest = Results(self.client("s3"), self.resources.buckets["results"]).latest()
        except NothingExported as error:
            yield Fact("ranking", str(error), is_well=False)
            return
        exported = datetime.fromisoformat(latest["exported_at"]).astimezone(UTC)
        since = age((self.now - exported).total_seconds())
        text = f"{latest['run']} was exported {since} ago, up to {latest['interval']['end']}"
        newest = self._newest_object()
        is_owed = newest is not None and newest > exported and self.now - exported > RANKED_WITHIN
        yield Fact("ranking", text, not is_owed)

    def _dags(self) -> Iterator[Fact]:
        active = DagShelf(self.client("s3"), self.resources.buckets["artifacts"]).active()
        if active is None:
            yield Fact("dags", "no release was activated: postrank deploy dags does")
            return
        yield Fact("dags", f"release {active.version} is active since {active.activated_at}")

    def _drift(self) -> Iterator[Fact]:
        """What the last nightly plan found: whether AWS differs from the branch."""
        s3 = self.client("s3")
        try:
            body = s3.get_object(Bucket=self.resources.buckets["artifacts"], Key=DRIFT)["Body"].read()
        except s3.exceptions.NoSuchKey:
            yield Fact("drift", "there is no report: the workflow Infrastructure writes one every night")
            return
        report = json.loads(body)
        since = self.now - datetime.fromisoformat(report["checked_at"])
        results = {0: "AWS is as the branch says", 2: "AWS differs from the branch"}
        result = results.get(report["exit_status"], "terraform plan failed")
        text = f"{result}, commit {report['commit'][:8]}, {age(since.total_seconds())} ago"
        yield Fact("drift", text, report["exit_status"] == 0 and since <= DRIFT_WITHIN)
