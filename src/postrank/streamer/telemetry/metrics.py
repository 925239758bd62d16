"""Metrics to CloudWatch: counts of what was read, delivered, refused and resent; ages; the spool; the source's own.

Counts are told as what came since the last call, so that their Sum over a period is right; the rest as they are.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.resources import MAIN, Resources
from postrank.streamer.telemetry.health import health
from postrank.streamer.telemetry.reporter import Reporter

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

log = logging.getLogger(__name__)
# Metric: (the heartbeat's count or gauge, CloudWatch's unit). These names are what alarms refer to.
COUNTS = {
    "LinesRead": "read",
    "EventsRead": "events",
    "LinesDelivered": "delivered",
    "LinesRejected": "rejected",
    "LinesIgnored": "ignored",
    "GapSeconds": "gap_seconds",
    "EntriesRefused": "refused_entries",
    "EntriesResent": "resent_entries",
}
GAUGES: "Mapping[str, tuple[str, StandardUnitType]]" = {
    "LinesSpooled": ("spooled", "Count"),
    "LinesInFlight": ("in_flight", "Count"),
    "SpoolBytes": ("spool_bytes", "Bytes"),
    "SpoolBlocked": ("spool_blocked", "Count"),
    "Lag": ("lag_seconds", "Seconds"),
}
AGES = {"SourceContactAge": "contact_age", "AckAge": "ack_age", "HeartbeatAge": "heartbeat_age"}


class Metrics:
    """Puts the streamer's metrics every `seconds`, from a thread of its own. `client` is boto3's CloudWatch client."""

    def __init__(
        self,
        reporter: Reporter,
        client: "CloudWatchClient",
        namespace: str,
        dimensions: "Sequence[DimensionTypeDef]",
        seconds: float,
    ) -> None:
        self._reporter = reporter
        self._client = client
        self._namespace = namespace
        self._dimensions = dimensions
        self._seconds = seconds
        self._reported: dict[str, float] = dict.fromkeys(COUNTS, 0.0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._reported = self._counts()  # earlier runs reported these

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Put what is left, and end."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._put()
        self._put()

    def _put(self) -> None:
        now = self._counts()
        data = [self._datum(name, max(value - self._reported[name], 0.0), "Count") for name, value in now.items()]
        figures: Mapping[str, float] = {**self._reporter.counts(), **self._reporter.gauges()}
        data += [self._datum(name, figures.get(figure, 0.0), unit) for name, (figure, unit) in GAUGES.items()]
        state = health(self._reporter)
        data += [self._datum(name, getattr(state, age), "Seconds") for name, age in AGES.items()]
        data += [self._datum(_camel(name), value, "None") for name, value in self._reporter.source_gauges().items()]
        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
        except (BotoCoreError, ClientError) as error:
            log.warning("metrics not put", extra={"fields": {"why": str(error)}})
        else:
            self._reported = now

    def _counts(self) -> dict[str, float]:
        figures: Mapping[str, float] = {**self._reporter.counts(), **self._reporter.gauges()}
        return {name: float(figures.get(figure, 0.0)) for name, figure in COUNTS.items()}

    def _datum(self, name: str, value: float, unit: "StandardUnitType") -> "MetricDatumTypeDef":
        return {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": self._dimensions}


def dimensions(names: Resources) -> "Sequence[DimensionTypeDef]":
    """What a collector's metrics are told apart by: the environment and, unless it is `main`, its name."""
    environment: DimensionTypeDef = {"Name": "Environment", "Value": names.environment}
    collector: DimensionTypeDef = {"Name": "Collector", "Value": names.collector}
    return [environment] if names.collector == MAIN else [environment, collector]


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
