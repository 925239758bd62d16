"""The CloudWatch service: metrics and alarms. Dashboards and what else there is are the emulator's."""

from collections.abc import Callable
from functools import partial

from localaws.core import validation
from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document, Params, Structure
from localaws.services.cloudwatch.alarms.alarm_store import AlarmStore
from localaws.services.cloudwatch.alarms.api import AlarmActions
from localaws.services.cloudwatch.alarms.transitions import Transitions
from localaws.services.cloudwatch.alarms.watcher import Watch
from localaws.services.cloudwatch.metrics import queries
from localaws.services.cloudwatch.metrics.put_data import put_metric_data
from localaws.services.cloudwatch.metrics.samples import SampleStore


class CloudWatchService:
    """Metrics kept as they are put, statistics computed when asked, alarms evaluated all the time."""

    name = "monitoring"

    def __init__(self, cloud: Cloud) -> None:
        folder = cloud.state / "monitoring"
        self._samples = SampleStore(folder / "metrics.sqlite")
        self._alarms = AlarmStore(folder / "alarms.sqlite")
        transitions = Transitions(cloud, self._alarms)
        self._watch = Watch(self._samples, self._alarms, transitions, cloud.speed)
        self._answers: dict[str, Callable[[Structure], Document]] = {
            "GetMetricStatistics": partial(queries.get_metric_statistics, self._samples),
            "GetMetricData": partial(queries.get_metric_data, self._samples),
            "ListMetrics": partial(queries.list_metrics, self._samples),
            **AlarmActions(self._alarms, transitions, self._watch.changed).actions,
        }
        self.actions = frozenset(self._answers) | {"PutMetricData"}

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:
        if action not in self.actions:
            raise AwsError("InvalidAction", f"CloudWatch has no action {action}.")
        validation.check("cloudwatch", action, params, code="ValidationError")
        if action == "PutMetricData":
            return put_metric_data(self._samples, params, caller)
        return self._answers[action](params)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()
        self._samples.close()
        self._alarms.close()
