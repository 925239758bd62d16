"""SubscribeToShard (enhanced fan-out): records are pushed to a registered consumer for up to five minutes.

Source of the rules: "SubscribeToShard" and "Quotas and limits" (2 MB/s for each consumer and shard).
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.api.consumers import find_consumer
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.limits import MIB, READ_BYTES_PER_SECOND, Throttle, TokenBucket
from localaws.services.kinesis.streams.metrics import Counting
from localaws.services.kinesis.streams.model import Consumer, Shard, Stream
from localaws.services.kinesis.streams.sequence_numbers import sequence_number
from localaws.services.kinesis.streams.shard_records import child_shards, shown, start_position
from localaws.services.kinesis.streams.shards import find_shard

LIFE = 300.0  # seconds at speed 1
RENEWAL = 5.0  # seconds at speed 1 before a consumer may subscribe to the same shard again
_KEEP_ALIVE = 5.0  # seconds between two events at most; those without records say how far the shard is read
_TICK = 0.5  # seconds between two looks at whether the subscription still holds
_MOST_BYTES = MIB
_MOST_RECORDS = 10_000


@dataclass(slots=True)
class _Subscription:
    """One connection of a consumer to a shard. `taken_over` is set when a later one replaces it."""

    stream: Stream
    consumer: Consumer
    shard: Shard
    position: int  # behind which it goes on
    arrived: float  # epoch seconds at which the record there arrived
    began: float = field(default_factory=time.monotonic)
    taken_over: threading.Event = field(default_factory=threading.Event)


class Subscriptions:
    """Answers SubscribeToShard. Life and renewal run `speed` times faster than on AWS."""

    def __init__(self, streams: Streams, throttle: Throttle, counting: Counting, speed: float) -> None:
        self._streams = streams
        self._throttle = throttle
        self._counting = counting
        self._life = LIFE / speed
        self._renewal = RENEWAL / speed
        self._lock = threading.Lock()
        self._latest: dict[tuple[str, str], _Subscription] = {}
        self.actions: dict[str, Callable[[Structure], Document]] = {"SubscribeToShard": self.subscribe}

    def subscribe(self, params: Params) -> Response:
        """`EventStream` yields the events of the response, and None at least every half second between them."""
        arn = params["ConsumerARN"]
        stream = self._streams.find_live({"StreamARN": arn})
        consumer = find_consumer(stream, arn=arn)
        shard = find_shard(stream, params["ShardId"])
        start = self._start(stream, shard, params["StartingPosition"])
        subscription = _Subscription(stream, consumer, shard, start, self._arrival(shard, start))
        if params.get("DryRun"):
            return {"EventStream": iter(())}
        self._register(arn, subscription)
        return {"EventStream": self._events(subscription)}

    def _start(self, stream: Stream, shard: Shard, starting: Structure) -> int:
        params = {
            "ShardIteratorType": starting["Type"],
            "StartingSequenceNumber": starting.get("SequenceNumber"),
            "Timestamp": starting.get("Timestamp"),
        }
        return start_position(self._streams, stream, shard, params)

    def _arrival(self, shard: Shard, position: int) -> float:
        newest, arrived = self._streams.tail(shard.key)
        return arrived / 1000 if position and position == newest else shard.opened

    def _register(self, arn: str, subscription: _Subscription) -> None:
        """Take over an earlier subscription. Raises AwsError ResourceInUseException where that is too young."""
        key = (arn, subscription.shard.id)
        with self._lock:
            earlier = self._latest.get(key)
            in_use = earlier is not None and time.monotonic() - earlier.began < self._renewal
            self._counting.subscription(subscription.stream.name, subscription.consumer.name, taken=not in_use)
            if in_use:
                message = f"Another active subscription exists for this consumer: {arn} and shard {key[1]}."
                raise AwsError("ResourceInUseException", message)
            if earlier is not None:
                earlier.taken_over.set()
            self._latest[key] = subscription

    def _events(self, subscription: _Subscription) -> Iterator[Document | None]:
        """Events until the subscription expires, its shard ends, or a check fails.

        Raises AwsError ResourceInUseException once another connection took over, ResourceNotFoundException once the
        consumer or the stream is gone.
        """
        allowance = self._allowance(subscription.stream)
        sent_at = 0.0
        while time.monotonic() < subscription.began + self._life:
            self._check(subscription)
            if allowance is None or allowance.has(1):
                event, size = self._next_event(subscription)
                if event["Records"] or "ChildShards" in event or time.monotonic() >= sent_at + _KEEP_ALIVE:
                    sent_at = time.monotonic()
                    yield {"SubscribeToShardEvent": event}
                    if allowance is not None:
                        allowance.borrow(size)
                if "ChildShards" in event:
                    return
                if event["Records"]:
                    continue
                self._streams.wait_past(subscription.shard, subscription.position, _TICK)
            else:
                subscription.taken_over.wait(_TICK / 10)
            yield None

    def _allowance(self, stream: Stream) -> TokenBucket | None:
        factor = self._throttle.factor(stream.tags)
        return None if factor is None else TokenBucket(READ_BYTES_PER_SECOND * factor, time.monotonic)

    def _check(self, subscription: _Subscription) -> None:
        if subscription.taken_over.is_set():
            raise AwsError("ResourceInUseException", "A newer subscription of this consumer took over the shard.")
        stream = self._streams.find_live({"StreamName": subscription.stream.name})
        find_consumer(stream, arn=subscription.stream.consumer_arn(subscription.consumer))

    def _next_event(self, subscription: _Subscription) -> tuple[Document, int]:
        """The records that follow, as an event, and their size in bytes."""
        stream = subscription.stream
        shard = subscription.shard
        rows = self._streams.store.read(shard.key, subscription.position, _MOST_RECORDS, _MOST_BYTES)
        now = time.time()
        size = sum(len(row.data) for row in rows)
        if rows:
            subscription.position = rows[-1].position
            subscription.arrived = rows[-1].arrived / 1000
        waiting = self._streams.store.arrival_after(shard.key, subscription.position)
        behind = max(0, int(now * 1000) - rows[-1].arrived) if rows and waiting is not None else 0
        horizon = (now - stream.retention_hours * 3600) * 1000
        event: Document = {
            "Records": [shown(stream, shard, row) for row in rows if row.arrived >= horizon],
            "ContinuationSequenceNumber": sequence_number(shard, subscription.position, subscription.arrived),
            "MillisBehindLatest": behind,
        }
        if not shard.open and waiting is None:
            event["ChildShards"] = child_shards(stream, shard)
        self._counting.subscription_event(stream.name, subscription.consumer.name, len(rows), size, behind)
        return event, size
