"""The verbs of bucket notifications."""

from collections.abc import Callable

from localaws.core.shapes import Params, Response
from localaws.services.s3.events.configuration import checked, rules
from localaws.services.s3.events.delivery import Delivery
from localaws.services.s3.store import Store


class NotificationVerbs:
    """Answers by action."""

    def __init__(self, store: Store, delivery: Delivery) -> None:
        self._store = store
        self._delivery = delivery
        self.actions: dict[str, Callable[[Params], Response]] = {
            "PutBucketNotificationConfiguration": self._put,
            "GetBucketNotificationConfiguration": self._get,
        }

    def _put(self, params: Params) -> Response:
        bucket = params["Bucket"]
        self._store.require_bucket(bucket)
        configuration = checked(params.get("NotificationConfiguration") or {})
        if not params.get("SkipDestinationValidation"):
            for destination in dict.fromkeys(rule.destination for rule in rules(configuration)):
                self._delivery.try_out(bucket, destination)
        self._store.outbox.configure(bucket, configuration)
        return {}

    def _get(self, params: Params) -> Response:
        self._store.require_bucket(params["Bucket"])
        return self._store.outbox.configuration(params["Bucket"])
