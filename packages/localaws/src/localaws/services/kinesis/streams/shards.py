"""Shards as callers see them: listing, splitting, merging, scaling."""

import itertools
import time
from collections.abc import Callable

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.paging import page
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.model import HASH_SPACE, Shard, Stream
from localaws.services.kinesis.streams.sequence_numbers import sequence_number

SHARD_LIMIT = 20_000  # "Quotas and limits": open provisioned shards in us-east-1
_LIST_MOST = 10_000  # "ListShards"


class ShardActions:
    """Answers the calls about shards."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "ListShards": self.list_shards,
            "SplitShard": self.split_shard,
            "MergeShards": self.merge_shards,
            "UpdateShardCount": self.update_shard_count,
        }

    def list_shards(self, params: Params) -> Response:
        token = params.get("NextToken")
        if token and (params.get("StreamName") or params.get("StreamARN")):
            raise AwsError("InvalidArgumentException", "NextToken and StreamName cannot be provided together.")
        name, _, after = str(token or "").partition("/")
        stream = self._streams.named(name) if token else self._streams.find(params)
        after = after or params.get("ExclusiveStartShardId") or ""
        shards = [shard for shard in _filtered(stream, params.get("ShardFilter") or {}) if shard.id > after]
        shown, more = page(shards, params.get("MaxResults"), default=1000, most=_LIST_MOST)
        result: Document = {"Shards": [describe(shard) for shard in shown]}
        if more:
            result["NextToken"] = f"{stream.name}/{shown[-1].id}"
        return result

    def split_shard(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            shard = _open(stream, params["ShardToSplit"])
            middle = _hash(params["NewStartingHashKey"])
            if not shard.low < middle < shard.high:
                raise AwsError(
                    "InvalidArgumentException",
                    f"NewStartingHashKey {middle} used in SplitShard() on shard {shard.id} in stream {stream.name} "
                    f"under account {ACCOUNT} is not both greater than one plus the shard's StartingHashKey "
                    f"{shard.low} and less than the shard's EndingHashKey {shard.high}.",
                )
            self._split(stream, shard, middle)
        return {}

    def merge_shards(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            pair = [_open(stream, params["ShardToMerge"]), _open(stream, params["AdjacentShardToMerge"])]
            low, high = sorted(pair, key=lambda shard: shard.low)
            if low.high + 1 != high.low:
                raise AwsError(
                    "InvalidArgumentException",
                    f"Shards {pair[0].id} and {pair[1].id} in stream {stream.name} under account {ACCOUNT} "
                    "are not an adjacent pair of shards eligible for merging",
                )
            self._streams.open_shard(stream, low.low, high.high, *pair)
        return {}

    def update_shard_count(self, params: Params) -> Response:
        """Scale evenly. Source: "UpdateShardCount": at most twice, at least half of the current count."""
        target = params["TargetShardCount"]
        with self._streams.update(params) as stream:
            if stream.mode == "ON_DEMAND":
                raise AwsError(
                    "ValidationException",
                    f"Request is invalid. Stream {stream.name} under account {ACCOUNT} is in On-Demand mode.",
                )
            current = len(stream.open_shards)
            if not 1 <= target <= 2 * current:
                raise AwsError(
                    "LimitExceededException",
                    f"UpdateShardCount cannot scale up over double your current open shard count. Current open shard "
                    f"count: {current} Target shard count: {target}",
                )
            if target * 2 < current:
                raise AwsError(
                    "LimitExceededException",
                    f"UpdateShardCount cannot scale down below half your current open shard count. Current open shard "
                    f"count: {current} Target shard count: {target}",
                )
            self.scale(stream, target)
        return {
            "StreamName": stream.name,
            "CurrentShardCount": current,
            "TargetShardCount": target,
            "StreamARN": stream.arn,
        }

    def scale(self, stream: Stream, target: int) -> None:
        """Split where a new border is missing, then merge what lies between two borders. The caller saves."""
        borders = [HASH_SPACE * index // target for index in range(target)]
        for border in borders:
            shard = next(shard for shard in stream.open_shards if shard.holds(border))
            if shard.low != border:
                self._split(stream, shard, border)
        remaining = set(borders)
        while (
            pair_to_merge := next((pair for pair in _neighbours(stream) if pair[1].low not in remaining), None)
        ) is not None:
            self._streams.open_shard(stream, pair_to_merge[0].low, pair_to_merge[1].high, *pair_to_merge)

    def _split(self, stream: Stream, shard: Shard, middle: int) -> None:
        self._streams.open_shard(stream, shard.low, middle - 1, shard)
        self._streams.open_shard(stream, middle, shard.high, shard)


def describe(shard: Shard) -> Document:
    """A shard in the shape of the API."""
    numbers = {"StartingSequenceNumber": sequence_number(shard, 0, shard.opened)}
    if shard.closed is not None:
        numbers["EndingSequenceNumber"] = sequence_number(shard, (shard.last or 0) + 1, shard.closed)
    shown: Document = {
        "ShardId": shard.id,
        "HashKeyRange": {"StartingHashKey": str(shard.low), "EndingHashKey": str(shard.high)},
        "SequenceNumberRange": numbers,
    }
    if shard.parent is not None:
        shown["ParentShardId"] = f"shardId-{shard.parent:012d}"
    if shard.adjacent_parent is not None:
        shown["AdjacentParentShardId"] = f"shardId-{shard.adjacent_parent:012d}"
    return shown


def find_shard(stream: Stream, shard_id: str) -> Shard:
    """Raises AwsError ResourceNotFoundException for a shard that the stream does not have (any more)."""
    for shard in stream.shards:
        if shard.id == shard_id:
            return shard
    raise AwsError(
        "ResourceNotFoundException",
        f"Shard {shard_id} in stream {stream.name} under account {ACCOUNT} does not exist",
    )


def _open(stream: Stream, shard_id: str) -> Shard:
    shard = find_shard(stream, shard_id)
    if not shard.open:
        raise AwsError(
            "InvalidArgumentException",
            f"Shard {shard_id} in stream {stream.name} under account {ACCOUNT} has already been merged or split, "
            "and thus is not eligible for merging or splitting.",
        )
    return shard


def _hash(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= HASH_SPACE:
        raise AwsError("InvalidArgumentException", f"NewStartingHashKey {text} is not in the range [0, 2^128-1].")
    return int(text)


def _neighbours(stream: Stream) -> list[tuple[Shard, Shard]]:
    shards = stream.open_shards
    return list(itertools.pairwise(shards))


def _filtered(stream: Stream, shard_filter: Structure) -> list[Shard]:
    """The shards that a ShardFilter keeps (page "ShardFilter")."""
    kind = shard_filter.get("Type")
    if kind == "AT_LATEST":
        return [shard for shard in stream.shards if shard.open]
    if kind == "AFTER_SHARD_ID":
        return [shard for shard in stream.shards if shard.id > str(shard_filter.get("ShardId"))]
    if kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON"):
        horizon = time.time() - stream.retention_hours * 3600
        moment = shard_filter["Timestamp"].timestamp() if "Timestamp" in shard_filter else max(horizon, stream.created)
        open_shards = [shard for shard in stream.shards if shard.closed is None or shard.closed >= moment]
        if kind.startswith("AT_"):
            # What was open at the creation opened with it, however long its first second took.
            open_shards = [shard for shard in open_shards if shard.opened <= moment or shard.parent is None]
        return open_shards
    return list(stream.shards)
