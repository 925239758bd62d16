"""Where a streamer's output goes: to AWS, or to a folder of this machine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from postrank.aws.clients import Clients
from postrank.aws.put_records import quicken
from postrank.aws.resources import Resources
from postrank.sinks import POSTS, WINDOWS, Sink
from postrank.sinks.files import FilesSink
from postrank.sinks.kafka import KafkaSink
from postrank.sinks.kinesis import KinesisSink
from postrank.sinks.s3 import S3Sink
from postrank.streamer.config import Config
from postrank.streamer.host.folder_claim import usable
from postrank.streamer.kafka_topics import KafkaTopics
from postrank.streamer.telemetry.metrics import Metrics, dimensions
from postrank.streamer.telemetry.reporter import Reporter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NO_LIMIT = 1 << 62  # bytes, seconds: a file that is finished when its streamer ends


class Outlet(Protocol):
    """What takes a streamer's records, ledgers and heartbeats."""

    @property
    def heartbeat_key(self) -> str: ...

    @property
    def ledgers_prefix(self) -> str: ...

    def sink(self) -> Sink:
        """What takes the records."""

    def put(self, key: str, body: bytes, /) -> object:
        """Write an object of the ledgers, or the heartbeat."""

    def metrics(self, reporter: Reporter) -> Metrics | None:
        """What publishes the streamer's figures; None for nothing."""


@dataclass(slots=True)
class AwsOutlet:
    """The sink of the configuration; ledgers and heartbeats in the raw bucket; metrics in CloudWatch."""

    config: Config
    names: Resources
    clients: Clients
    kafka: KafkaTopics | None = None  # the sink's, if it is Kafka
    _s3: "S3Client" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._s3 = self.clients.get("s3", attempts=2, read_seconds=10.0)

    @property
    def heartbeat_key(self) -> str:
        return self.names.keys["heartbeat"]

    @property
    def ledgers_prefix(self) -> str:
        return self.names.keys["ledgers"]

    def sink(self) -> Sink:
        config = self.config.sink
        if config.kind == "files":
            usable("sink.folder", config.folder)
            return FilesSink(
                config.folder, max_bytes=config.file_bytes, max_seconds=config.file_seconds, gzipped=config.gzip
            )
        if config.kind == "s3":
            s3 = self.clients.get("s3", attempts=1, connections=config.in_flight + 1, read_seconds=config.read_seconds)
            prefixes = {stream: f"raw/{stream}/" for stream in (POSTS, WINDOWS)}
            collector = self.config.collector
            return S3Sink(s3, self.names.buckets["raw"], prefixes, collector, config.gzip, config.patience_seconds)
        if self.kafka is not None:
            return KafkaSink(self.kafka.connection, self.kafka.topics, config.patience_seconds)
        kinesis = self.clients.get(
            "kinesis", attempts=1, connections=config.in_flight + 1, read_seconds=config.read_seconds
        )
        return KinesisSink(client=quicken(kinesis), streams=self.names.streams, patience=config.patience_seconds)

    def put(self, key: str, body: bytes, /) -> object:
        return self._s3.put_object(Bucket=self.names.buckets["raw"], Key=key, Body=body)

    def metrics(self, reporter: Reporter) -> Metrics | None:
        seconds = self.config.metrics_seconds
        if not seconds:
            return None
        client = self.clients.get("cloudwatch", attempts=2, read_seconds=5.0)
        return Metrics(reporter, client, self.names.metrics_namespace, dimensions(self.names), seconds)


@dataclass(slots=True)
class FolderOutlet:
    """Everything below `folder`: one gzip file of records a stream and run, ledgers, the newest heartbeat."""

    config: Config
    folder: Path
    heartbeat_key: str = "heartbeat.json"
    ledgers_prefix: str = "ledgers/"

    def sink(self) -> Sink:
        return FilesSink(records_folder(self.folder), max_bytes=_NO_LIMIT, max_seconds=_NO_LIMIT, gzipped=True)

    def put(self, key: str, body: bytes, /) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def metrics(self, reporter: Reporter) -> Metrics | None:  # noqa: ARG002 nothing is published
        return None


def records_folder(folder: Path) -> Path:
    """Where a FolderOutlet's records are, in a folder for each stream."""
    return folder / "records"
