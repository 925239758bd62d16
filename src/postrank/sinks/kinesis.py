"""PutRecords, with only the refused entries resent, at a rate that the shards can take.

Limits: 500 records and 5 MiB a call, 1 MiB a record (Amazon Kinesis Data Streams, "PutRecords"). The answer is
aligned with the request by index, and a successful call can hold refused entries.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from postrank.errors import Fatal
from postrank.sinks import Record, Unavailable
from postrank.sinks.pauses import pause_before
from postrank.sinks.rate import Rate

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

CALL_RECORDS = 500
CALL_BYTES = 4_900_000  # just below 5 MiB, data and partition keys
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0  # seconds
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "KMSThrottlingException",
        "ThrottlingException",
        "LimitExceededException",
    }
)
_HOPELESS = frozenset(
    {
        "AccessDeniedException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "ValidationException",
        "InvalidArgumentException",
    }
)


class Refused(Fatal):
    """AWS refuses the calls themselves: no permission, no such stream, no valid credentials."""

    def __init__(self, stream: str, code: str, message: str) -> None:
        super().__init__(f"Kinesis stream {stream} refuses PutRecords: {code}: {message}")
        self.stream = stream
        self.code = code


@dataclass(slots=True)
class KinesisSink:
    """Puts records on Kinesis streams.

    `streams` names the stream for each of POSTS and WINDOWS; `patience` in seconds.
    """

    client: "KinesisClient"
    streams: Mapping[str, str]
    patience: float = 10.0
    _figures: dict[str, float] = field(
        default_factory=lambda: {"put_calls": 0.0, "refused_entries": 0.0, "resent_entries": 0.0, "failed_calls": 0.0}
    )
    _rates: dict[str, Rate] = field(default_factory=dict)
    _hurried: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, records: Sequence[Record]) -> None:
        """Put every record on its stream. Raises Unavailable after `patience` seconds without any progress; Refused."""
        for stream in dict.fromkeys(record.stream for record in records):
            left = [record for record in records if record.stream == stream]
            try:
                for call in calls(left):
                    self._put_call(self.streams[stream], call)
                    left = left[len(call) :]
            except Unavailable as away:
                others = [record for record in records if record.stream != stream]
                raise Unavailable(
                    away.why, [*away.left, *left[len(call) :], *_after(stream, others, records)]
                ) from away

    def gauges(self) -> Mapping[str, float]:
        with self._lock:
            limits = {name: rate.limit for name, rate in self._rates.items() if rate.limit is not None}
            return {**self._figures, "rate_limit_bytes": min(limits.values(), default=0.0)}

    def hurry(self) -> None:
        self._hurried.set()

    def close(self) -> None:
        """Nothing is held open."""

    def _put_call(self, stream: str, call: Sequence[Record]) -> None:
        rate = self._rates.setdefault(stream, Rate())
        left = list(call)
        attempt = 0
        deadline = time.monotonic() + self.patience
        while left:
            share = rate.share(len(record.data) for record in left)
            refused, why = self._once(stream, rate, left[:share])
            left = [*refused, *left[share:]]
            if len(refused) < share:  # progress: the stream is there, only slower than we are
                deadline = time.monotonic() + self.patience
            if not refused:
                continue
            if time.monotonic() > deadline or self._hurried.is_set():
                raise Unavailable(why, left)
            self._count("resent_entries", len(refused))
            self._hurried.wait(pause_before(attempt, _FIRST_PAUSE, _LONGEST_PAUSE))
            attempt += 1

    def _once(self, stream: str, rate: Rate, records: list[Record]) -> tuple[list[Record], str]:
        """One call; what was refused, and why."""
        entries: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": record.data, "PartitionKey": record.key} for record in records
        ]
        size = sum(len(record.data) for record in records)
        self._hurried.wait(rate.pause(size))
        self._count("put_calls", 1)
        try:
            answer = self.client.put_records(StreamName=stream, Records=entries)
        except ClientError as error:
            self._count("failed_calls", 1)
            code = error.response["Error"].get("Code", "")
            message = error.response["Error"].get("Message", "")
            if code in _HOPELESS:
                raise Refused(stream, code, message) from error
            if code in _THROTTLED:
                rate.note(0, size)
            return records, f"{code}: {message}"
        except BotoCoreError as error:
            self._count("failed_calls", 1)
            return records, str(error)
        if not answer["FailedRecordCount"]:
            rate.note(size, 0)
            return [], ""
        refused = [(r, e) for r, e in zip(records, answer["Records"], strict=True) if e.get("ErrorCode")]
        self._count("refused_entries", len(refused))
        left = sum(len(record.data) for record, _ in refused)
        rate.note(size - left, left)
        return [record for record, _ in refused], str(refused[0][1]["ErrorCode"]) if refused else ""

    def _count(self, figure: str, number: int) -> None:
        with self._lock:
            self._figures[figure] += number


def calls(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The records in runs that one PutRecords call may hold."""
    start = 0
    size = 0
    for number, record in enumerate(records):
        weight = len(record.data) + len(record.key)
        if number > start and (number - start == CALL_RECORDS or size + weight > CALL_BYTES):
            yield records[start:number]
            start = number
            size = 0
        size += weight
    if start < len(records):
        yield records[start:]


def _after(stream: str, others: Sequence[Record], records: Sequence[Record]) -> list[Record]:
    """The records of streams that come after `stream`."""
    order = list(dict.fromkeys(record.stream for record in records))
    later = set(order[order.index(stream) + 1 :])
    return [record for record in others if record.stream in later]
