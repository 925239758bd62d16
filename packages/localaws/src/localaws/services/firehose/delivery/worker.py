"""The thread of one delivery stream: read, buffer, deliver, remember how far."""

import copy
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.functions import Functions
from localaws.services.cloudwatch.metrics.publisher import Publisher
from localaws.services.firehose.columnar.iceberg import IcebergTable
from localaws.services.firehose.delivery import error_log
from localaws.services.firehose.delivery.object_upload import Delivery
from localaws.services.firehose.delivery.pending_objects import Objects
from localaws.services.firehose.keys import prefix
from localaws.services.firehose.records.processing import Pipeline
from localaws.services.firehose.records.sources import THROTTLED, Batch, DirectSource, KinesisSource, Source
from localaws.services.firehose.records.transformation import Transformation, options_of
from localaws.services.firehose.streams.model import DeliveryStream, Destination
from localaws.services.firehose.streams.store import Store

_POLL = 1.0  # seconds; "Sending data using Kinesis Data Streams": GetRecords is called once a second for each shard
_MIN_POLL = 0.25  # however fast waits run: a shard takes five reads a second in all
_IDLE_POLL = 15.0  # between reads of shards that have had nothing for long; records that are put wake the worker
_READ_SPACE = 0.005  # seconds that a read of an idle shard takes up, so that many shards do not keep a processor busy
_RETRY = 5.0  # seconds before a refused delivery or read is tried again, doubling
_MAX_RETRY = 120.0
_ROLE_LIFE = 300.0  # seconds for which an assumed role is used

_log = logging.getLogger(__name__)


class Worker:
    """Works off one delivery stream until stopped. What is buffered at a stop is read and delivered again."""

    def __init__(
        self,
        cloud: Cloud,
        store: Store,
        publisher: Publisher,
        functions: Functions,
        stream: DeliveryStream,
        spool: Path,
    ) -> None:
        self._cloud = cloud
        self._functions = functions
        self._store = store
        self._publisher = publisher
        self._spool = spool
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._next: DeliveryStream | None = None
        self._roles: dict[str, tuple[float, Caller]] = {}
        self._failures: dict[str, int] = {}
        self._more = False
        self._idle = 0  # reads since the last that gave something
        self._read_at = 0.0
        self._configure(copy.deepcopy(stream))
        self._thread = threading.Thread(target=self._run, name=f"firehose-{stream.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def reads(self, stream: str) -> bool:
        """Whether its records come from the Kinesis stream of that name."""
        return self._stream.source is not None and self._stream.source.rpartition("/")[2] == stream

    def wake(self) -> None:
        """There is something new to read."""
        self._wake.set()

    def update(self, stream: DeliveryStream) -> None:
        """Deliver what is buffered as it was configured, then go on with this configuration."""
        self._next = copy.deepcopy(stream)
        self._wake.set()

    def _configure(self, stream: DeliveryStream) -> None:
        self._stream = stream
        destination = stream.destination
        pipeline = Pipeline(destination.processors)
        from_function = prefix.values(destination.prefix or "", "partitionKeyFromLambda")
        self._delivery = Delivery(
            cloud=self._cloud,
            stream=stream,
            publisher=self._publisher,
            keys=[*pipeline.keys, *(f"lambda:{name}" for name in from_function)],
            assume=self._role,
            table=self._table(destination),
        )
        self._objects = Objects(
            self._spool,
            destination,
            pipeline,
            self._store.checkpoints(stream.incarnation),
            self._cloud.speed,
            self._transformation(stream),
        )
        self._source: Source | None = None

    def _table(self, destination: Destination) -> IcebergTable | None:
        if not destination.iceberg:
            return None
        return IcebergTable(self._cloud, destination.iceberg, lambda: self._role(destination.role))

    def _transformation(self, stream: DeliveryStream) -> Transformation | None:
        options = options_of(stream.destination.processors)
        if options is None:
            return None
        return Transformation(stream, options, self._functions, self._role, self._cloud.authorize)

    def _run(self) -> None:
        shutil.rmtree(self._spool, ignore_errors=True)
        pause = 0.0
        while True:
            if self._wake.wait(pause):
                self._idle = 0
                self._stopping.wait(self._read_at + self._spacing() - time.monotonic())
            self._wake.clear()
            if self._stopping.is_set():
                break
            pause = self._turn()
        self._objects.discard()

    def _turn(self) -> float:
        """One round of reading and delivering; how long to wait before the next, in seconds."""
        self._more = False
        read = 0.0 if self._objects.blocked else self._attempt(self._read)
        if self._next is not None:
            self._objects.seal_all()
        delivered = self._attempt(self._deliver)
        if delivered:
            return delivered
        if self._next is not None:
            stream = self._next
            self._next = None
            self._configure(stream)
        return min(read or self._pause(), self._objects.seconds_to_flush())

    def _pause(self) -> float:
        """How long to leave the source alone, in seconds."""
        return 0.0 if self._more else min(max(self._spacing(), _MIN_POLL) * 2.0**self._idle, _IDLE_POLL)

    def _spacing(self) -> float:
        """Seconds between two reads of a shard at least."""
        shards = self._source.shards if isinstance(self._source, KinesisSource) else 0
        return max(_POLL / self._cloud.speed, _MIN_POLL, shards * _READ_SPACE) if shards else 0.0

    def _attempt(self, step: Callable[[], None]) -> float:
        """Do a step; how long to wait before it is tried again, 0 if it went well."""
        try:
            step()
        except AwsError as error:
            if error.code == THROTTLED:
                self._delivery.count("ThrottledGetRecords", 1, "Count")
                return _MIN_POLL
            self._roles.clear()
            _log.warning("delivery stream %s: %s: %s", self._stream.name, error.code, error.message)
        except Exception:
            # A full disk, say. The thread goes on: what was read and not delivered is read again from the checkpoints.
            _log.exception("delivery stream %s failed", self._stream.name)
            self._objects.discard()
            self._configure(self._stream)
        else:
            self._failures[step.__name__] = 0
            return 0.0
        failures = self._failures[step.__name__] = self._failures.get(step.__name__, 0) + 1
        return min(_RETRY * 2.0 ** min(failures - 1, 8), _MAX_RETRY) / self._cloud.speed

    def _read(self) -> None:
        """Buffer what each shard has."""
        self._read_at, self._idle = time.monotonic(), min(self._idle + 1, 8)
        for batch in self._opened_source().read():
            if batch.records or batch.ended:
                self._idle = 0
            self._count(batch)
            self._objects.take(batch.shard, batch.records)
            if batch.ended:
                self._objects.end(batch.shard)
            self._more = self._more or batch.more
        self._count_freshness()

    def _opened_source(self) -> Source:
        stream = self._stream
        if stream.source is None:
            self._source = self._source or DirectSource(self._store, stream.incarnation)
            return self._source
        caller = self._role(stream.source_role or stream.destination.role)
        if not isinstance(self._source, KinesisSource):
            self._source = KinesisSource(
                self._cloud,
                stream.source,
                caller=caller,
                begin=stream.created,
                checkpoints=self._store.checkpoints(stream.incarnation),
            )
        self._source.caller = caller
        return self._source

    def _deliver(self) -> None:
        """Deliver the objects that are due, oldest first, and save how far each shard is delivered."""
        for finished in self._objects.due():
            caller = self._role(self._stream.destination.role)
            try:
                self._delivery.deliver(finished, caller)
            except AwsError as error:
                self._delivery.count("DeliveryToS3.Success", 0, "Count")
                error_log.write(self._cloud, self._stream, error, caller)
                raise
            checkpoints = self._objects.delivered(finished)
            self._store.save_checkpoints(self._stream.incarnation, checkpoints)
            if self._source is not None and checkpoints:
                self._source.delivered(checkpoints)
            self._count_freshness()

    def _role(self, arn: str) -> Caller:
        now = time.monotonic()
        taken, caller = self._roles.get(arn, (0.0, None))
        if caller is None or now - taken > _ROLE_LIFE:
            caller = self._cloud.role(
                arn, service="firehose.amazonaws.com", session=f"firehose-{self._stream.name}"[:64]
            )
            self._roles[arn] = (now, caller)
        return caller

    def _count(self, batch: Batch) -> None:
        count = self._delivery.count
        if self._stream.source is not None:
            size = sum(len(record.data) for record in batch.records)
            for metric in ("DataReadFromKinesisStream.Records", "IncomingRecords"):
                count(metric, len(batch.records), "Count")
            for metric in ("DataReadFromKinesisStream.Bytes", "IncomingBytes"):
                count(metric, size, "Bytes")
            count("KinesisMillisBehindLatest", batch.behind, "Milliseconds")

    def _count_freshness(self) -> None:
        oldest = self._objects.oldest()
        age = max(0.0, time.time() - oldest / 1000) if oldest else 0.0
        self._delivery.count("DeliveryToS3.DataFreshness", age, "Seconds")
