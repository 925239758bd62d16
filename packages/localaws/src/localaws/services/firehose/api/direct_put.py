"""PutRecord and PutRecordBatch: records kept on disk before they are acknowledged.

Source of the bound on a call: "PutRecordBatch" (API reference). Those on records and their number are in AWS's model.
"""

import base64
import secrets
import time
from collections.abc import Callable, Sequence

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.cloudwatch.metrics.publisher import Publisher
from localaws.services.firehose.streams.catalogue import Streams
from localaws.services.firehose.streams.model import DeliveryStream
from localaws.services.firehose.streams.store import Store

MAX_CALL = 4 * 1024 * 1024


class DirectPut:
    """Answers the calls that put records; `wake` is told the name of a stream that has new ones."""

    def __init__(self, streams: Streams, store: Store, publisher: Publisher, wake: Callable[[str], None]) -> None:
        self._streams = streams
        self._store = store
        self._publisher = publisher
        self._wake = wake
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "PutRecord": self.put_record,
            "PutRecordBatch": self.put_batch,
        }

    def put_record(self, params: Params) -> Response:
        stream = self._put(params, [params["Record"]])
        return {"RecordId": _record_id(), "Encrypted": stream.encryption is not None}

    def put_batch(self, params: Params) -> Response:
        records = params["Records"]
        stream = self._put(params, records)
        return {
            "FailedPutCount": 0,
            "Encrypted": stream.encryption is not None,
            "RequestResponses": [{"RecordId": _record_id()} for _ in records],
        }

    def _put(self, params: Params, records: Sequence[Structure]) -> DeliveryStream:
        stream = self._streams.find(params)
        if stream.source is not None:
            raise AwsError(
                "InvalidSourceException",
                f"Firehose {stream.name} under account {ACCOUNT} does not accept direct puts: "
                "its source is a Kinesis stream.",
            )
        sizes = [len(record["Data"]) for record in records]
        if sum(sizes) > MAX_CALL:
            raise AwsError("InvalidArgumentException", "Records size exceeds 4 MB limit")
        self._store.add_records(stream.incarnation, int(time.time() * 1000), [record["Data"] for record in records])
        dimensions = {"DeliveryStreamName": stream.name}
        self._publisher.add(dimensions, "IncomingRecords", len(records), "Count")
        self._publisher.add(dimensions, "IncomingBytes", sum(sizes), "Bytes")
        self._publisher.add(dimensions, "ThrottledRecords", 0, "Count")  # the quota per second is not imposed locally
        self._wake(stream.name)
        return stream


def _record_id() -> str:
    """An opaque id of the length that AWS's have."""
    return base64.b64encode(secrets.token_bytes(160)).decode()
