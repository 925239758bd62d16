"""Lines straight into S3, without Kinesis and Firehose: one object for each stream of a shipment, by arrival hour."""

import gzip
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from postrank.errors import Fatal
from postrank.sinks import Record, Unavailable
from postrank.sinks.pauses import pause_before

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 5.0  # seconds between attempts
_HOPELESS = frozenset(
    {"AccessDenied", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"}
)


class BucketRefused(Fatal):
    """S3 refuses the calls themselves: no permission, no such bucket, no valid credentials."""

    def __init__(self, bucket: str, code: str, message: str) -> None:
        super().__init__(f"bucket {bucket} refuses PutObject: {code}: {message}")
        self.bucket = bucket
        self.code = code


class S3Sink:
    """Objects `<prefix>dt=YYYY-MM-DD/hour=HH/<collector>-<instant>-<content>.ndjson.gz`, as Firehose has them."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefixes: Mapping[str, str],
        collector: str,
        gzipped: bool,
        patience: float,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefixes = prefixes
        self._collector = collector
        self._gzipped = gzipped
        self._patience = patience
        self._figures = {"put_calls": 0.0, "failed_calls": 0.0}
        self._lock = threading.Lock()
        self._hurried = threading.Event()

    def put(self, records: Sequence[Record]) -> None:
        """Write an object for each stream.

        Raises Unavailable after `patience` seconds, with what is left; BucketRefused.
        """
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
        for attempt in count():
            self._count("put_calls")
            try:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
                return
            except (BotoCoreError, ClientError) as error:
                self._count("failed_calls")
                details = error.response["Error"] if isinstance(error, ClientError) else {}
                if (code := str(details.get("Code", ""))) in _HOPELESS:
                    raise BucketRefused(self._bucket, code, str(details.get("Message", ""))) from error
                if time.monotonic() > deadline or self._hurried.is_set():
                    raise Unavailable(str(error), left) from error
            self._hurried.wait(pause_before(attempt, _FIRST_PAUSE, _LONGEST_PAUSE))

    def _count(self, figure: str) -> None:
        with self._lock:
            self._figures[figure] += 1
