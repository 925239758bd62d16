"""Reading metrics in tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from localaws.core.shapes import Document


def metric_sum(cloudwatch: Any, namespace: str, metric: str, **dimensions: str) -> float:
    """The sum of a metric over the last hour."""
    return sum(float(point["Sum"]) for point in metric_points(cloudwatch, namespace, metric, "Sum", **dimensions))


def metric_points(cloudwatch: Any, namespace: str, metric: str, statistic: str, **dimensions: str) -> list[Document]:
    """The datapoints of the last hour, one a minute, oldest first."""
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
