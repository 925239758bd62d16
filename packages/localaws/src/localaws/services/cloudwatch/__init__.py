"""CloudWatch: metrics with their statistics, alarms that are evaluated, and how other services publish metrics."""

from localaws.cloudwatch.service import CloudWatchService
from localaws.service import Cloud, Service


def create(cloud: Cloud) -> Service:
    """The CloudWatch service of `cloud`; its state is below `cloud.state / "monitoring"`."""
    return CloudWatchService(cloud)
