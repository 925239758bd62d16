"""Registered consumers: kept and described."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.paging import page
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.model import Consumer, Stream

MAX_CONSUMERS = 20  # "RegisterStreamConsumer"


class ConsumerActions:
    """Answers the calls about consumers."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "RegisterStreamConsumer": self.register,
            "DeregisterStreamConsumer": self.deregister,
            "DescribeStreamConsumer": self.describe,
            "ListStreamConsumers": self.list_consumers,
        }

    def register(self, params: Params) -> Response:
        name = params["ConsumerName"]
        with self._streams.update(params, settles=False) as stream:
            if any(consumer.name == name for consumer in stream.consumers):
                raise AwsError("ResourceInUseException", f"Consumer {name} under stream {stream.name} already exists.")
            if len(stream.consumers) >= MAX_CONSUMERS:
                raise AwsError("LimitExceededException", f"Stream {stream.name} has {MAX_CONSUMERS} consumers already.")
            consumer = Consumer(name=name, created=float(int(time.time())), tags=dict(params.get("Tags") or {}))
            stream.consumers.append(consumer)
        return {"Consumer": _shown(stream, consumer, status="CREATING")}

    def deregister(self, params: Params) -> Response:
        stream, consumer = self._find(params)
        with self._streams.update({"StreamName": stream.name}, settles=False):
            stream.consumers.remove(consumer)
        return {}

    def describe(self, params: Params) -> Response:
        stream, consumer = self._find(params)
        return {"ConsumerDescription": {**_shown(stream, consumer), "StreamARN": stream.arn}}

    def list_consumers(self, params: Params) -> Response:
        stream = self._streams.find(params)
        after = params.get("NextToken") or ""
        consumers = sorted(
            (candidate for candidate in stream.consumers if candidate.name > after),
            key=lambda candidate: candidate.name,
        )
        shown, more = page(consumers, params.get("MaxResults"), default=100, most=10_000)
        result: Document = {"Consumers": [_shown(stream, consumer) for consumer in shown]}
        if more:
            result["NextToken"] = shown[-1].name
        return result

    def _find(self, params: Params) -> tuple[Stream, Consumer]:
        """By ConsumerARN, or by StreamARN and ConsumerName. Raises AwsError ResourceNotFoundException."""
        arn = params.get("ConsumerARN")
        name = params.get("ConsumerName")
        stream = self._streams.find({"StreamARN": arn or params.get("StreamARN")})
        return stream, find_consumer(stream, arn=arn, name=name)


def find_consumer(stream: Stream, *, arn: str | None = None, name: str | None = None) -> Consumer:
    """A stream's consumer by ARN, or else by name. Raises AwsError ResourceNotFoundException."""
    for consumer in stream.consumers:
        if stream.consumer_arn(consumer) == arn or (arn is None and consumer.name == name):
            return consumer
    raise AwsError("ResourceNotFoundException", f"Consumer {arn or name}, account {ACCOUNT} not found.")


def _shown(stream: Stream, consumer: Consumer, status: str = "ACTIVE") -> Document:
    return {
        "ConsumerName": consumer.name,
        "ConsumerARN": stream.consumer_arn(consumer),
        "ConsumerStatus": status,
        "ConsumerCreationTimestamp": datetime.fromtimestamp(consumer.created, UTC),
    }
