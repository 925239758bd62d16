"""The Firehose service: delivery streams made, described, changed and deleted, and records put directly."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from localaws.core import validation
from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.functions import FunctionFailed, Functions
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.cloudwatch.metrics.publisher import Publisher
from localaws.services.firehose.api import configuration
from localaws.services.firehose.api.direct_put import DirectPut
from localaws.services.firehose.api.tags import TagActions
from localaws.services.firehose.delivery.worker import Worker
from localaws.services.firehose.records.transformation import options_of
from localaws.services.firehose.streams.catalogue import Streams
from localaws.services.firehose.streams.model import DeliveryStream
from localaws.services.firehose.streams.store import Store

DESTINATION_ID = "destinationId-000000000001"
_SETTLE = 0.5  # seconds that CREATING lasts at speed 1
_ARRIVALS = ("PutRecord", "PutRecords", "SplitShard", "MergeShards", "UpdateShardCount")
_SOURCES = ("MSKSourceConfiguration", "DatabaseSourceConfiguration")
_DESTINATIONS = ("ExtendedS3Destination", "S3Destination")


class FirehoseService:
    """Data Firehose, with Kinesis and direct puts as sources and S3 as destination."""

    name = "firehose"

    def __init__(self, cloud: Cloud, functions: Path | None = None) -> None:
        """`functions`: the folder of the functions that Lambda processors name."""
        self._cloud = cloud
        self._functions = Functions(functions, cloud.endpoint)
        self._root: Path = cloud.state / "firehose"
        self._store = Store(self._root / "firehose.sqlite")
        self._streams = Streams(self._store)
        self._publisher = Publisher(cloud, "AWS/Firehose", source="firehose")
        self._workers: dict[str, Worker] = {}
        self._workers_lock = threading.Lock()
        self._started = False
        self._answers: dict[str, Callable[[Structure], Document]] = {
            "CreateDeliveryStream": self.create,
            "DeleteDeliveryStream": self.delete,
            "DescribeDeliveryStream": self.describe,
            "ListDeliveryStreams": self.list_streams,
            "UpdateDestination": self.update_destination,
            "StartDeliveryStreamEncryption": self.start_encryption,
            "StopDeliveryStreamEncryption": self.stop_encryption,
            **TagActions(self._streams).actions,
            **DirectPut(self._streams, self._store, self._publisher, self._wake).actions,
        }
        self.actions = frozenset(self._answers)
        for action in _ARRIVALS:
            cloud.after("kinesis", action, self._arrived)

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:  # noqa: ARG002
        answer = self._answers.get(action)
        if answer is None:
            raise AwsError("UnknownOperationException", f"Firehose has no action {action}.")
        validation.check("firehose", action, params)
        return answer(params)

    def start(self) -> None:
        self._started = True
        self._publisher.start()
        for stream in self._streams.all():
            self._run(stream)

    def stop(self) -> None:
        with self._workers_lock:
            workers = list(self._workers.values())
            self._workers = {}
        for worker in workers:
            worker.stop()
        self._functions.stop()
        self._publisher.stop()
        self._store.close()

    def create(self, params: Params) -> Response:
        name = params["DeliveryStreamName"]
        iceberg = params.get("IcebergDestinationConfiguration")
        requested = (True, iceberg) if iceberg else _destination(params, "Configuration")
        if requested is None or any(params.get(source) for source in _SOURCES):
            raise AwsError(
                "InvalidArgumentException",
                "Locally a delivery stream reads from Kinesis or direct puts and delivers to (extended) S3 or Iceberg.",
            )
        extended, config = requested
        source = params.get("KinesisStreamSourceConfiguration") or {}
        kind = params.get("DeliveryStreamType") or ("KinesisStreamAsSource" if source else "DirectPut")
        if (kind == "KinesisStreamAsSource") != bool(source):
            raise AwsError("InvalidArgumentException", f"The source configuration does not fit the type {kind}.")
        now = time.time()
        stream = DeliveryStream(
            name=name,
            incarnation=uuid.uuid4().hex,
            created=now,
            updated=now,
            source=source.get("KinesisStreamARN"),
            source_role=source.get("RoleARN"),
            destination=configuration.iceberg_destination(config) if iceberg else configuration.destination(config),
            extended=extended,
            encryption=_encryption(params.get("DeliveryStreamEncryptionConfigurationInput")),
            tags={tag["Key"]: tag.get("Value", "") for tag in params.get("Tags") or []},
            settled=now + _SETTLE / self._cloud.speed,
        )
        self._check_roles(stream)
        self._check_function(stream)
        self._streams.add(stream)
        self._run(stream)
        return {"DeliveryStreamARN": stream.arn}

    def delete(self, params: Params) -> Response:
        stream = self._streams.find(params)
        with self._workers_lock:
            worker = self._workers.pop(stream.name, None)
        if worker is not None:
            worker.stop()
        self._streams.remove(stream)
        return {}

    def describe(self, params: Params) -> Response:
        return {"DeliveryStreamDescription": _described(self._streams.find(params))}

    def list_streams(self, params: Params) -> Response:
        after = params.get("ExclusiveStartDeliveryStreamName") or ""
        kind = params.get("DeliveryStreamType")
        limit = params.get("Limit") or 10
        names = [stream.name for stream in self._streams.all() if stream.name > after and kind in (None, stream.kind)]
        return {"DeliveryStreamNames": names[:limit], "HasMoreDeliveryStreams": len(names) > limit}

    def update_destination(self, params: Params) -> Response:
        requested = _destination(params, "Update")
        if requested is None:
            raise AwsError("InvalidArgumentException", "Only (extended) S3 destinations can be updated locally.")
        with self._streams.update(params) as stream:
            if stream.destination.iceberg:
                raise AwsError("InvalidArgumentException", "Only (extended) S3 destinations can be updated locally.")
            if params["DestinationId"] != DESTINATION_ID:
                raise AwsError("InvalidArgumentException", f"There is no destination {params['DestinationId']}.")
            if params["CurrentDeliveryStreamVersionId"] != str(stream.version):
                raise AwsError(
                    "ConcurrentModificationException",
                    f"CurrentDeliveryStreamVersionId does not match with the current version, {stream.version}.",
                )
            destination = configuration.destination(configuration.merged(stream.destination.shown, requested[1]))
            if destination.dynamic != stream.destination.dynamic:
                raise AwsError(
                    "InvalidArgumentException",
                    "Dynamic partitioning cannot be enabled or disabled on an existing stream.",
                )
            stream.destination = destination
            stream.version += 1
            stream.updated = time.time()
        with self._workers_lock:
            worker = self._workers.get(stream.name)
        if worker is not None:
            worker.update(stream)
        return {}

    def start_encryption(self, params: Params) -> Response:
        requested = params.get("DeliveryStreamEncryptionConfigurationInput") or {"KeyType": "AWS_OWNED_CMK"}
        return self._encrypt(params, _encryption(requested))

    def stop_encryption(self, params: Params) -> Response:
        return self._encrypt(params, None)

    def _encrypt(self, params: Params, encryption: dict[str, str] | None) -> Response:
        with self._streams.update(params) as stream:
            if stream.source is not None:
                raise AwsError(
                    "InvalidArgumentException",
                    "Server-side encryption cannot be changed on a stream whose source is a Kinesis stream.",
                )
            stream.encryption = encryption
        return {}

    def _check_roles(self, stream: DeliveryStream) -> None:
        """As AWS does when a stream is made: the roles must let the service in."""
        schema_role = (stream.destination.conversion.get("schema") or {}).get("RoleARN")
        for role in filter(None, (stream.source_role, stream.destination.role, schema_role)):
            try:
                self._cloud.role(role, service="firehose.amazonaws.com", session="firehose-check")
            except AwsError as error:
                raise AwsError(
                    "InvalidArgumentException",
                    f"Firehose is unable to assume role {role}. Please check the role provided.",
                ) from error

    def _check_function(self, stream: DeliveryStream) -> None:
        """Raises AwsError InvalidArgumentException for a Lambda processor whose function is not registered."""
        options = options_of(stream.destination.processors)
        try:
            if options is not None:
                self._functions.path(options["LambdaArn"])
        except FunctionFailed as error:
            raise AwsError("InvalidArgumentException", f"{error.message}.") from error

    def _run(self, stream: DeliveryStream) -> None:
        if not self._started:
            return
        spool = self._root / "spool" / stream.incarnation
        worker = Worker(self._cloud, self._store, self._publisher, self._functions, stream, spool)
        with self._workers_lock:
            self._workers[stream.name] = worker
        worker.start()

    def _arrived(self, params: Params, result: Structure, caller: Caller) -> None:  # noqa: ARG002
        """Have those who deliver a stream read it now rather than when they next would."""
        named = str(params.get("StreamARN") or params.get("StreamName")).rpartition("/")[2]
        with self._workers_lock:
            workers = list(self._workers.values())
        for worker in workers:
            if worker.reads(named):
                worker.wake()

    def _wake(self, name: str) -> None:
        with self._workers_lock:
            worker = self._workers.get(name)
        if worker is not None:
            worker.wake()


def _destination(params: Params, suffix: str) -> tuple[bool, Structure] | None:
    """Whether the destination is given as extended, and the configuration or update itself; None if neither is."""
    for extended, name in zip((True, False), _DESTINATIONS, strict=True):
        if params.get(name + suffix):
            return extended, params[name + suffix]
    return None


def _encryption(requested: Structure | None) -> dict[str, str] | None:
    if not requested:
        return None
    return {name: requested[name] for name in ("KeyARN", "KeyType") if requested.get(name)}


def _described_destination(stream: DeliveryStream) -> Document:
    """Both forms of an extended destination are shown, as AWS shows them."""
    shown = dict(stream.destination.shown)
    if stream.destination.iceberg:
        return {"DestinationId": DESTINATION_ID, "IcebergDestinationDescription": shown}
    plain_members = {"RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix", "BufferingHints", "CompressionFormat"}
    plain_members |= {"EncryptionConfiguration", "CloudWatchLoggingOptions"}
    destination: Document = {
        "DestinationId": DESTINATION_ID,
        "S3DestinationDescription": {name: value for name, value in shown.items() if name in plain_members},
    }
    if stream.extended:
        destination["ExtendedS3DestinationDescription"] = shown
    return destination


def _described(stream: DeliveryStream) -> Document:
    """DeliveryStreamDescription."""
    encryption = {**stream.encryption, "Status": "ENABLED"} if stream.encryption else {"Status": "DISABLED"}
    description: Document = {
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": stream.arn,
        "DeliveryStreamStatus": stream.status(time.time()),
        "DeliveryStreamType": stream.kind,
        "DeliveryStreamEncryptionConfiguration": encryption,
        "VersionId": str(stream.version),
        "CreateTimestamp": datetime.fromtimestamp(stream.created, UTC),
        "LastUpdateTimestamp": datetime.fromtimestamp(stream.updated, UTC),
        "Destinations": [_described_destination(stream)],
        "HasMoreDestinations": False,
    }
    if stream.source is not None:
        description["Source"] = {
            "KinesisStreamSourceDescription": {
                "KinesisStreamARN": stream.source,
                "RoleARN": stream.source_role,
                "DeliveryStartTimestamp": datetime.fromtimestamp(stream.created, UTC),
            }
        }
    return description
