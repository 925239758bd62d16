"""Lines straight into S3, without Kinesis and Firehose: one object for each stream of a shipment, by arrival hour."""

import gzip
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from postrank.sinks import Record, Unavailable

_PAUSE = 0.25  # seconds between attempts


class S3Sink:
    """Objects `<prefix>dt=YYYY-MM-DD/hour=HH/<collector>-<instant>-<content>.ndjson.gz`, as Firehose has them."""

    def __init__(
        self, client: Any, bucket: str, prefixes: Mapping[str, str], collector: str, gzipped: bool, patience: float
    ) -> None:
        self._client, self._bucket, self._prefixes = client, bucket, prefixes
        self._collector, self._gzipped, self._patience = collector, gzipped, patience
        self._figures = {"put_calls": 0.0, "failed_calls": 0.0}
        self._lock = threading.Lock()
        self._hurried = threading.Event()

    def put(self, records: Sequence[Record]) -> None:
        """Write an object for each stream. Raises Unavailable after `patience` seconds, with what is left."""
        left = list(records)
        for stream in dict.fromkeys(record.stream for record in records):
            body = b"".join(record.data for record in records if record.stream == stream)
            self._object(self._key(stream, body), body if self._gzipped else gzip.compress(body, 1, mtime=0), left)
            left = [record for record in left if record.stream != stream]

    def gauges(self) -> Mapping[str, float]:
        with self._lock:
            return dict(self._figures)

    def hurry(self) -> None:
        self._hurried.set()

    def close(self) -> None:
        """Nothing is held open."""

    def _key(self, stream: str, body: bytes) -> str:
        now = datetime.now(UTC)
        name = f"{self._collector}-{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{sha256(body).hexdigest()[:12]}"
        return f"{self._prefixes[stream]}dt={now:%Y-%m-%d}/hour={now:%H}/{name}.ndjson.gz"

    def _object(self, key: str, body: bytes, left: Sequence[Record]) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            self._count("put_calls")
            try:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
                return
            except (BotoCoreError, ClientError) as error:
                self._count("failed_calls")
                if time.monotonic() > deadline or self._hurried.is_set():
                    raise Unavailable(str(error), left) from error
            self._hurried.wait(_PAUSE)

    def _count(self, figure: str) -> None:
        with self._lock:
            self._figures[figure] += 1
