"""The data plane: PutRecord, PutRecords, GetShardIterator, GetRecords."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.streams import iterators
from localaws.services.kinesis.streams.catalogue import Streams, not_found
from localaws.services.kinesis.streams.limits import MIB, Throttle
from localaws.services.kinesis.streams.metrics import Counting
from localaws.services.kinesis.streams.model import HASH_SPACE, Shard, Stream
from localaws.services.kinesis.streams.record_store import Record
from localaws.services.kinesis.streams.sequence_numbers import sequence_number
from localaws.services.kinesis.streams.shard_records import child_shards, shown, start_position
from localaws.services.kinesis.streams.shards import find_shard

MAX_CALL = 5 * MIB  # "PutRecords": up to 5 MiB a call, partition keys included
MAX_READ = 10 * MIB  # "GetRecords": up to 10 MB a call
MAX_READ_RECORDS = 10_000

_THROTTLED = "ProvisionedThroughputExceededException"


class DataPlane:
    """Answers the calls that write and read records."""

    def __init__(self, streams: Streams, throttle: Throttle, counting: Counting) -> None:
        self._streams = streams
        self._throttle = throttle
        self._counting = counting
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "PutRecord": self.put_record,
            "PutRecords": self.put_records,
            "GetShardIterator": self.get_shard_iterator,
            "GetRecords": self.get_records,
        }

    def put_record(self, params: Params) -> Response:
        stream = self._streams.find_live(params)
        size = _check_entry(params, stream, "")
        (result,) = self._append(stream, [params])
        refused = "ErrorCode" in result
        self._counting.put_record(stream.name, size, taken=not refused)
        if refused:
            raise AwsError(result["ErrorCode"], result["ErrorMessage"])
        return {**result, "EncryptionType": stream.encryption}

    def put_records(self, params: Params) -> Response:
        entries = params["Records"]
        stream = self._streams.find_live(params)
        sizes = [
            _check_entry(entry, stream, f"records.{number}.member.") for number, entry in enumerate(entries, start=1)
        ]
        most = MAX_CALL if stream.max_record_kib <= 1024 else 2 * MAX_CALL
        if sum(sizes) > most:
            raise AwsError("InvalidArgumentException", f"Records size exceeds {most // MIB} MB limit")
        results = self._append(stream, entries)
        taken = ["ErrorCode" not in result for result in results]
        self._counting.put_records(stream.name, sizes, taken)
        return {
            "FailedRecordCount": taken.count(False),
            "Records": results,
            "EncryptionType": stream.encryption,
        }

    def get_shard_iterator(self, params: Params) -> Response:
        stream = self._streams.find_live(params)
        shard = find_shard(stream, params["ShardId"])
        start = start_position(self._streams, stream, shard, params)
        iterator = iterators.Iterator(stream=stream.name, shard=shard.key, position=start, issued=time.time())
        return {"ShardIterator": iterator.encode()}

    def get_records(self, params: Params) -> Response:
        limit = params.get("Limit") or MAX_READ_RECORDS
        iterator = iterators.decode(params["ShardIterator"], now=time.time())
        stream = self._streams.find_live({"StreamName": iterator.stream})
        shard = next((candidate for candidate in stream.shards if candidate.key == iterator.shard), None)
        if shard is None:
            raise not_found(stream.name)
        if not self._throttle.admit_read(shard.key, stream.tags):
            self._counting.refused_read(stream.name)
            raise AwsError(_THROTTLED, _rate_exceeded(stream, shard))
        return self._read(stream, shard, iterator, limit)

    def _append(self, stream: Stream, entries: list[Structure]) -> list[Document]:
        """Store what the limits admit; results aligned with the entries."""
        hash_keys = [_hash_key(entry) for entry in entries]
        results: list[Document] = []
        rows: list[tuple[int, Record]] = []
        tails: dict[int, tuple[int, int]] = {}
        with self._streams.lock:
            shards = stream.open_shards
            moment = int(time.time() * 1000)
            for entry, hash_key in zip(entries, hash_keys, strict=True):
                shard = next(shard for shard in shards if shard.holds(hash_key))
                data: bytes = entry["Data"]
                size = len(data) + len(entry["PartitionKey"].encode())
                if not self._throttle.admit_write(shard.key, size, stream.tags):
                    results.append({"ErrorCode": _THROTTLED, "ErrorMessage": _rate_exceeded(stream, shard)})
                    continue
                position, arrived = tails.get(shard.key) or self._streams.tail(shard.key)
                position = position + 1
                arrived = max(arrived, moment)
                tails[shard.key] = (position, arrived)
                rows.append((shard.key, Record(position, arrived, entry["PartitionKey"], data)))
                number = sequence_number(shard, position, arrived / 1000)
                results.append({"ShardId": shard.id, "SequenceNumber": number})
            if rows:
                self._streams.store.append(rows)
            for key, tail in tails.items():
                self._streams.advance(key, *tail)
        return results

    def _read(self, stream: Stream, shard: Shard, iterator: iterators.Iterator, limit: int) -> Document:
        now = time.time()
        rows = self._streams.store.read(shard.key, iterator.position, limit, MAX_READ)
        size = sum(len(row.data) for row in rows)
        self._throttle.count_read(shard.key, size, stream.tags)
        position = rows[-1].position if rows else iterator.position
        waiting = self._streams.store.arrival_after(shard.key, position)
        behind = max(0, int(now * 1000) - rows[-1].arrived) if rows and waiting is not None else 0
        self._counting.get_records(stream.name, len(rows), size, behind)
        horizon = (now - stream.retention_hours * 3600) * 1000
        result: Document = {
            "Records": [shown(stream, shard, row) for row in rows if row.arrived >= horizon],
            "MillisBehindLatest": behind,
        }
        if not shard.open and waiting is None:
            result["ChildShards"] = child_shards(stream, shard)
        else:
            result["NextShardIterator"] = replace(iterator, position=position, issued=now).encode()
        return result


def _check_entry(entry: Structure, stream: Stream, path: str) -> int:
    """The size of an entry as the limits count it: data and partition key. Raises AwsError for one out of bounds."""
    key = entry.get("PartitionKey")
    if key is None:
        raise _invalid(f"{path}partitionKey", "not be null")
    most = stream.max_record_kib * 1024
    if len(entry["Data"]) > most:
        raise _invalid(f"{path}data", f"have length less than or equal to {most}")
    return len(entry["Data"]) + len(key.encode())


def _hash_key(entry: Structure) -> int:
    explicit = entry.get("ExplicitHashKey")
    if not explicit:
        return int.from_bytes(hashlib.md5(entry["PartitionKey"].encode(), usedforsecurity=False).digest())
    if int(explicit) >= HASH_SPACE:
        raise AwsError(
            "InvalidArgumentException",
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit}",
        )
    return int(explicit)


def _rate_exceeded(stream: Stream, shard: Shard) -> str:
    return f"Rate exceeded for shard {shard.id} in stream {stream.name} under account {ACCOUNT}."


def _invalid(member: str, constraint: str) -> AwsError:
    return AwsError(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must {constraint}",
    )
