"""Reading metrics in tests."""

from datetime import UTC, datetime, timedelta


def metric_sum(cloudwatch, namespace, metric, **dimensions):
    """The sum of a metric over the last hour."""
    return sum(point["Sum"] for point in metric_points(cloudwatch, namespace, metric, "Sum", **dimensions))


def metric_points(cloudwatch, namespace, metric, statistic, **dimensions):
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
