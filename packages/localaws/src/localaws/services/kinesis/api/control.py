"""The control plane: making, describing, changing and deleting streams."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from localaws.core.cloud import AwsError
from localaws.core.paging import page
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.limits import check_tags
from localaws.services.kinesis.streams.model import Stream
from localaws.services.kinesis.streams.shards import SHARD_LIMIT, describe

ON_DEMAND_SHARDS = 4  # "Choose the right mode": a new on-demand stream takes 4 MB/s
ON_DEMAND_LIMIT = 50  # "Quotas and limits": on-demand streams per account
MIN_RETENTION = 24
MAX_RETENTION = 8760  # hours
_SHARD_METRICS = (
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
)


class ControlPlane:
    """Answers the calls about streams as a whole."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "CreateStream": self.create,
            "DeleteStream": self.delete,
            "DescribeStream": self.describe,
            "DescribeStreamSummary": self.summarize,
            "ListStreams": self.list_streams,
            "DescribeLimits": self.describe_limits,
            "IncreaseStreamRetentionPeriod": self.increase_retention,
            "DecreaseStreamRetentionPeriod": self.decrease_retention,
            "UpdateStreamMode": self.update_mode,
            "UpdateMaxRecordSize": self.update_record_size,
            "StartStreamEncryption": self.start_encryption,
            "StopStreamEncryption": self.stop_encryption,
            "EnableEnhancedMonitoring": self.enable_monitoring,
            "DisableEnhancedMonitoring": self.disable_monitoring,
        }

    def create(self, params: Params) -> Response:
        mode = (params.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED")
        count = params.get("ShardCount")
        if mode == "ON_DEMAND" and count is not None:
            raise AwsError(
                "ValidationException", "ShardCount must not be provided while creating streams in ON_DEMAND mode."
            )
        if mode == "PROVISIONED" and count is None:
            raise AwsError("ValidationException", "ShardCount must be provided in PROVISIONED mode.")
        if count is not None and count > SHARD_LIMIT:
            raise AwsError("LimitExceededException", f"ShardCount {count} is over the limit of {SHARD_LIMIT}.")
        check_tags(params.get("Tags") or {})
        stream = Stream(
            name=params["StreamName"],
            created=float(int(time.time())),  # AWS shows whole seconds; waiters compare what they read
            mode=mode,
            tags=dict(params.get("Tags") or {}),
            max_record_kib=params.get("MaxRecordSizeInKiB") or 1024,
            warm_mibps=params.get("WarmThroughputMiBps"),
        )
        self._streams.add(stream, int(count) if count else ON_DEMAND_SHARDS)
        return {}

    def delete(self, params: Params) -> Response:
        stream = self._streams.find(params)
        if stream.consumers and not params.get("EnforceConsumerDeletion"):
            raise AwsError(
                "ResourceInUseException",
                f"Stream {stream.name} has registered consumers; EnforceConsumerDeletion deletes them with it.",
            )
        self._streams.remove(stream)
        return {}

    def describe(self, params: Params) -> Response:
        stream = self._streams.find(params)
        after = params.get("ExclusiveStartShardId") or ""
        shards = [shard for shard in stream.shards if shard.id > after]
        shown, more = page(shards, params.get("Limit"), default=100, most=10_000)
        return {
            "StreamDescription": {
                **_common(stream),
                "Shards": [describe(shard) for shard in shown],
                "HasMoreShards": more,
            }
        }

    def summarize(self, params: Params) -> Response:
        stream = self._streams.find(params)
        summary = {
            **_common(stream),
            "OpenShardCount": len(stream.open_shards),
            "ConsumerCount": len(stream.consumers),
            "MaxRecordSizeInKiB": stream.max_record_kib,
        }
        if stream.warm_mibps is not None:
            summary["WarmThroughput"] = {"TargetMiBps": stream.warm_mibps, "CurrentMiBps": stream.warm_mibps}
        return {"StreamDescriptionSummary": summary}

    def list_streams(self, params: Params) -> Response:
        after = params.get("NextToken") or params.get("ExclusiveStartStreamName") or ""
        streams = [stream for stream in self._streams.all() if stream.name > after]
        shown, more = page(streams, params.get("Limit"), default=100, most=10_000)
        now = time.time()
        result: Document = {
            "StreamNames": [stream.name for stream in shown],
            "HasMoreStreams": more,
            "StreamSummaries": [
                {
                    "StreamName": stream.name,
                    "StreamARN": stream.arn,
                    "StreamStatus": stream.status(now),
                    "StreamModeDetails": {"StreamMode": stream.mode},
                    "StreamCreationTimestamp": datetime.fromtimestamp(stream.created, UTC),
                }
                for stream in shown
            ],
        }
        if more:
            result["NextToken"] = shown[-1].name
        return result

    def describe_limits(self, params: Params) -> Response:  # noqa: ARG002
        streams = self._streams.all()
        return {
            "ShardLimit": SHARD_LIMIT,
            "OpenShardCount": sum(len(stream.open_shards) for stream in streams if stream.mode == "PROVISIONED"),
            "OnDemandStreamCount": sum(stream.mode == "ON_DEMAND" for stream in streams),
            "OnDemandStreamCountLimit": ON_DEMAND_LIMIT,
        }

    def increase_retention(self, params: Params) -> Response:
        return self._set_retention(params, longer=True)

    def decrease_retention(self, params: Params) -> Response:
        return self._set_retention(params, longer=False)

    def update_mode(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            stream.mode = params["StreamModeDetails"]["StreamMode"]
        return {}

    def update_record_size(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            stream.max_record_kib = params["MaxRecordSizeInKiB"]
        return {}

    def start_encryption(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            stream.encryption = params["EncryptionType"]
            stream.key_id = params["KeyId"]
        return {}

    def stop_encryption(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            stream.encryption = "NONE"
            stream.key_id = None
        return {}

    def enable_monitoring(self, params: Params) -> Response:
        return self._set_monitoring(params, lambda now, requested: now | requested)

    def disable_monitoring(self, params: Params) -> Response:
        return self._set_monitoring(params, lambda now, requested: now - requested)

    def _set_retention(self, params: Params, *, longer: bool) -> Response:
        hours = params["RetentionPeriodHours"]
        with self._streams.update(params) as stream:
            old = stream.retention_hours
            if not MIN_RETENTION <= hours <= MAX_RETENTION:
                bound = f"Minimum allowed retention period is {MIN_RETENTION} hours, maximum {MAX_RETENTION} hours."
                raise AwsError("InvalidArgumentException", f"{bound} Requested retention period is {hours} hours.")
            if (hours < old) if longer else (hours > old):
                relation = "shorter" if longer else "longer"
                raise AwsError(
                    "InvalidArgumentException",
                    f"Requested retention period ({hours} hours) for stream {stream.name} can not be {relation} than "
                    f"existing retention period ({old} hours).",
                )
            stream.retention_hours = hours
        return {}

    def _set_monitoring(self, params: Params, combine: Callable[[set[str], set[str]], set[str]]) -> Response:
        requested = set(params["ShardLevelMetrics"])
        requested = set(_SHARD_METRICS) if "ALL" in requested else requested
        with self._streams.update(params) as stream:
            before = list(stream.metrics)
            stream.metrics = sorted(combine(set(before), requested))
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardLevelMetrics": before,
            "DesiredShardLevelMetrics": stream.metrics,
        }


def _common(stream: Stream) -> Document:
    """What DescribeStream and DescribeStreamSummary both say."""
    shown: Document = {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": stream.status(time.time()),
        "StreamModeDetails": {"StreamMode": stream.mode},
        "RetentionPeriodHours": stream.retention_hours,
        "StreamCreationTimestamp": datetime.fromtimestamp(stream.created, UTC),
        "EnhancedMonitoring": [{"ShardLevelMetrics": list(stream.metrics)}],
        "EncryptionType": stream.encryption,
    }
    if stream.key_id:
        shown["KeyId"] = stream.key_id
    return shown
