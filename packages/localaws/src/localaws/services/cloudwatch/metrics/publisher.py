"""What services say of themselves: counts gathered in memory and put as metrics once a minute."""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, AwsError, Caller, Cloud
from localaws.core.periodic import Periodic
from localaws.core.shapes import Document

PERIOD = 60.0  # seconds; AWS services publish once a minute
_BATCH = 1000  # "PutMetricData": metrics a call


@dataclass(slots=True)
class _Statistics:
    count: float
    total: float
    low: float
    high: float

    def shown(self) -> dict[str, float]:
        return {"SampleCount": self.count, "Sum": self.total, "Minimum": self.low, "Maximum": self.high}


class Publisher:
    """Gathers statistic sets by dimensions and metric, and puts them under a service's namespace."""

    def __init__(self, cloud: Cloud, namespace: str, *, source: str) -> None:
        self._cloud = cloud
        self._namespace = namespace
        self._caller = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", source=source)
        self._lock = threading.Lock()
        self._gathered: dict[tuple[tuple[tuple[str, str], ...], str, str], _Statistics] = {}
        self._puts = Periodic(f"metrics-{source}", self.flush, PERIOD / cloud.speed)

    def add(self, dimensions: Mapping[str, str], metric: str, value: float, unit: str, *, count: int = 1) -> None:
        """Count `value` in; with a `count` above 1 it is the sum of that many equal samples."""
        key = (tuple(sorted(dimensions.items())), metric, unit)
        each = value / count
        with self._lock:
            existing = self._gathered.get(key)
            if existing is None:
                self._gathered[key] = _Statistics(count, value, each, each)
                return
            existing.count += count
            existing.total += value
            existing.low, existing.high = min(existing.low, each), max(existing.high, each)

    def start(self) -> None:
        self._puts.start()

    def stop(self) -> None:
        """Put what is left, then rest."""
        self._puts.stop()
        if self._puts.started:
            self.flush()

    def flush(self) -> None:
        """Put all that was gathered since the last time."""
        with self._lock:
            gathered = self._gathered
            self._gathered = {}
        now = datetime.now(UTC)
        data: list[Document] = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
                "Timestamp": now,
                "StatisticValues": statistics.shown(),
                "Unit": unit,
            }
            for (dimensions, metric, unit), statistics in gathered.items()
        ]
        for start in range(0, len(data), _BATCH):
            params = {"Namespace": self._namespace, "MetricData": data[start : start + _BATCH]}
            # A minute of metrics may be lost, as on AWS; the service that they speak of must not stop for it.
            with contextlib.suppress(AwsError):
                self._cloud.call("monitoring", "PutMetricData", params, self._caller)
