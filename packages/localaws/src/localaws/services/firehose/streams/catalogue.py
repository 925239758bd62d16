"""The catalogue of delivery streams."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Params
from localaws.services.firehose.streams.model import DeliveryStream
from localaws.services.firehose.streams.store import Store

MAX_STREAMS = 5000  # "Quota": delivery streams of an account in us-east-1


class Streams:
    """All delivery streams of the account, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._streams = {stream.name: stream for stream in map(DeliveryStream.from_document, store.streams())}

    def all(self) -> list[DeliveryStream]:
        with self._lock:
            return [self._streams[name] for name in sorted(self._streams)]

    def find(self, params: Params) -> DeliveryStream:
        """The stream that DeliveryStreamName names. Raises AwsError ResourceNotFoundException."""
        name = params["DeliveryStreamName"]
        with self._lock:
            if name not in self._streams:
                raise AwsError("ResourceNotFoundException", f"Firehose {name} under account {ACCOUNT} not found.")
            return self._streams[name]

    def add(self, stream: DeliveryStream) -> None:
        with self._lock:
            if stream.name in self._streams:
                raise AwsError(
                    "ResourceInUseException", f"Firehose {stream.name} under accountId {ACCOUNT} already exists"
                )
            if len(self._streams) >= MAX_STREAMS:
                raise AwsError("LimitExceededException", f"You have {MAX_STREAMS} delivery streams already.")
            self._store.save_stream(stream.name, stream.to_document())
            self._streams[stream.name] = stream

    def remove(self, stream: DeliveryStream) -> None:
        with self._lock:
            self._streams.pop(stream.name, None)
            self._store.delete_stream(stream.name, stream.incarnation)

    @contextmanager
    def update(self, params: Params) -> Iterator[DeliveryStream]:
        """Change a stream; it is kept when the block ends without an error."""
        with self._lock:
            stream = self.find(params)
            yield stream
            self._store.save_stream(stream.name, stream.to_document())
