"""What CloudWatch says of the delivery: the newest figures of a few metrics, against their limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from postrank.aws.resources import Resources

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

WINDOW = timedelta(minutes=15)


Statistic = Literal["Average", "Maximum", "Sum"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A metric and the value that it must not pass; of Firehose and Kinesis, by the names of their documentation."""

    namespace: str
    metric: str
    dimension: str
    resource: str
    statistic: Statistic
    at_least: float | None = None
    at_most: float | None = None

    def broken(self, value: float) -> bool:
        too_low = self.at_least is not None and value < self.at_least
        too_high = self.at_most is not None and value > self.at_most
        return too_low or too_high

    def describe(self, value: float | None) -> str:
        return f"{self.metric} of {self.resource} is {'unknown' if value is None else f'{value:g}'}"


def limits(resources: Resources) -> list[Limit]:
    """The metrics that tell whether records move on ("Monitor Amazon Data Firehose using CloudWatch metrics")."""
    oldest = resources.buffer_seconds * 2
    metric_limits = []
    for name in resources.delivery_streams.values():
        firehose = ("AWS/Firehose", "DeliveryStreamName", name)
        metric_limits.append(_limit(firehose, "DeliveryToS3.DataFreshness", "Maximum", at_most=oldest))
        metric_limits.append(_limit(firehose, "DeliveryToS3.Success", "Average", at_least=0.99))
        metric_limits.append(_limit(firehose, "ThrottledRecords", "Sum", at_most=0))
    for name in resources.streams.values():
        stream = ("AWS/Kinesis", "StreamName", name)
        metric_limits.append(_limit(stream, "GetRecords.IteratorAgeMilliseconds", "Maximum", at_most=oldest * 1000))
    return metric_limits


def newest(cloudwatch: "CloudWatchClient", limits: Sequence[Limit]) -> list[float | None]:
    """The newest value of each within WINDOW; None where there is none."""
    now = datetime.now(UTC)
    return [_newest(cloudwatch, limit, now) for limit in limits]


def _newest(cloudwatch: "CloudWatchClient", limit: Limit, now: datetime) -> float | None:
    points = cloudwatch.get_metric_statistics(
        Namespace=limit.namespace,
        MetricName=limit.metric,
        Dimensions=[{"Name": limit.dimension, "Value": limit.resource}],
        StartTime=now - WINDOW,
        EndTime=now,
        Period=60,
        Statistics=[limit.statistic],
    )["Datapoints"]
    last = max(points, key=lambda point: point["Timestamp"], default=None)
    return float(last[limit.statistic]) if last else None


def _limit(where: tuple[str, str, str], metric: str, statistic: Statistic, **bounds: float) -> Limit:
    namespace, dimension, resource = where
    return Limit(namespace, metric, dimension, resource, statistic, **bounds)
