"""The Kinesis service: every action to its answer, and the work between calls (trimming, scaling, metrics)."""

import os
from collections.abc import Callable

from localaws.core import validation
from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.periodic import Periodic
from localaws.core.shapes import Document, Params, Structure
from localaws.services.cloudwatch.metrics.publisher import Publisher
from localaws.services.kinesis.api.channels import CHANNEL_ACTIONS
from localaws.services.kinesis.api.consumers import ConsumerActions
from localaws.services.kinesis.api.control import ControlPlane
from localaws.services.kinesis.api.data import DataPlane
from localaws.services.kinesis.api.policies import PolicyActions
from localaws.services.kinesis.api.subscriptions import Subscriptions
from localaws.services.kinesis.api.tags import TagActions
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.limits import Throttle, limit_factor
from localaws.services.kinesis.streams.metrics import Counting
from localaws.services.kinesis.streams.on_demand import OnDemand
from localaws.services.kinesis.streams.record_store import RecordStore
from localaws.services.kinesis.streams.shards import ShardActions

TRIM_EVERY = 60.0  # seconds between two looks for records past their retention


class KinesisService:
    """Kinesis Data Streams. LOCALAWS_KINESIS_LIMITS ("off" or a factor) widens the limits of its shards; the tag
    `localaws:kinesis-limits` does so for one stream.
    """

    name = "kinesis"

    def __init__(self, cloud: Cloud) -> None:
        self._store = RecordStore(cloud.state / "kinesis" / "records.sqlite")
        self._streams = Streams(self._store, cloud.speed)
        self._publisher = Publisher(cloud, "AWS/Kinesis", source="kinesis")
        counting = Counting(self._publisher)
        shards = ShardActions(self._streams)
        self._on_demand = OnDemand(self._streams, shards, counting, cloud.speed)
        throttle = Throttle(limit_factor(os.environ.get("LOCALAWS_KINESIS_LIMITS", "1")))
        self._answers: dict[str, Callable[[Structure], Document]] = {
            **ControlPlane(self._streams).actions,
            **shards.actions,
            **TagActions(self._streams).actions,
            **ConsumerActions(self._streams).actions,
            **PolicyActions(self._streams).actions,
            **DataPlane(self._streams, throttle, counting).actions,
            **Subscriptions(self._streams, throttle, counting, cloud.speed).actions,
            **CHANNEL_ACTIONS,
        }
        self.actions = frozenset(self._answers)
        self._trimmer = Periodic("kinesis-trim", self._streams.trim, TRIM_EVERY)

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:  # noqa: ARG002
        answer = self._answers.get(action)
        if answer is None:
            raise AwsError("UnknownOperationException", f"Kinesis has no action {action}.")
        validation.check("kinesis", action, params)
        return answer(params)

    def start(self) -> None:
        self._publisher.start()
        self._trimmer.start()
        self._on_demand.start()

    def stop(self) -> None:
        self._on_demand.stop()
        self._trimmer.stop()
        self._publisher.stop()
        self._store.close()
