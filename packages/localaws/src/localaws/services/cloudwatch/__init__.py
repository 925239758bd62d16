"""CloudWatch: metrics with their statistics, alarms that are evaluated, and how other services publish metrics."""

from localaws.core.cloud import Cloud, Service
from localaws.services.cloudwatch.service import CloudWatchService


def create(cloud: Cloud) -> Service:
    """The CloudWatch service of `cloud`; its state is below `cloud.state / "monitoring"`."""
    return CloudWatchService(cloud)
