"""The catalogue of streams: finding, keeping and changing them, with the states that a change passes through."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Params
from localaws.services.kinesis.streams.model import HASH_SPACE, Shard, Stream
from localaws.services.kinesis.streams.record_store import RecordStore

SETTLE = 0.5  # seconds that CREATING, UPDATING and DELETING last at speed 1


class Streams:
    """All streams of the account. Hold `lock` while changing one; `save` makes the change last."""

    def __init__(self, store: RecordStore, speed: float) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self.store = store
        self._settle = SETTLE / speed
        self._streams = {stream.name: stream for stream in map(Stream.from_document, store.streams())}
        keys = [shard.key for stream in self._streams.values() for shard in stream.shards]
        self._next_key = max(keys, default=0) + 1
        # Appending assigns positions from here; a store that was killed is asked once what it holds.
        self._tails = {key: store.newest(key) for key in keys}

    def all(self) -> list[Stream]:
        with self.lock:
            self._purge()
            return [self._streams[name] for name in sorted(self._streams)]

    def find(self, params: Params) -> Stream:
        """The stream that StreamName or StreamARN names. Raises AwsError ResourceNotFoundException."""
        return self.named(stream_name(params))

    def named(self, name: str) -> Stream:
        with self.lock:
            self._purge()
            if name not in self._streams:
                raise not_found(name)
            return self._streams[name]

    def find_live(self, params: Params) -> Stream:
        """A stream that takes and gives records: one being made or deleted is "not found", as it is on AWS."""
        stream = self.find(params)
        if stream.changing and stream.status(time.time()) in ("CREATING", "DELETING"):
            raise not_found(stream.name)
        return stream

    @contextmanager
    def update(self, params: Params, *, settles: bool = True) -> Iterator[Stream]:
        """Change an ACTIVE stream: it is UPDATING for a while afterwards if the change `settles`.

        Raises AwsError ResourceInUseException while an earlier change is under way.
        """
        with self.lock:
            stream = self.find(params)
            status = stream.status(time.time())
            if settles and status != "ACTIVE":
                raise AwsError(
                    "ResourceInUseException",
                    f"Stream {stream.name} under account {ACCOUNT} not ACTIVE, instead in state {status}",
                )
            yield stream
            if settles:
                self._change(stream, "UPDATING")
            self.save(stream)

    def add(self, stream: Stream, shard_count: int) -> None:
        with self.lock:
            self._purge()
            if stream.name in self._streams:
                raise AwsError(
                    "ResourceInUseException", f"Stream {stream.name} under account {ACCOUNT} already exists."
                )
            edges = [HASH_SPACE * index // shard_count for index in range(shard_count + 1)]
            for low, high in itertools.pairwise(edges):
                self.open_shard(stream, low, high - 1)
            self._change(stream, "CREATING")
            self._streams[stream.name] = stream
            self.save(stream)

    def remove(self, stream: Stream) -> None:
        """Have a stream deleted; one that is being deleted already takes no longer for a second call."""
        with self.lock:
            if stream.changing == "DELETING":
                return
            self._change(stream, "DELETING")
            self.save(stream)

    def open_shard(self, stream: Stream, low: int, high: int, *parents: Shard) -> Shard:
        """A new shard for a range of hash keys; its parents (at most two) are closed by it."""
        now = time.time()
        for parent in parents:
            parent.closed = parent.closed or now
            parent.last = self.tail(parent.key)[0]
        numbers = [parent.number for parent in parents]
        shard = Shard(
            key=self._next_key,
            number=stream.next_shard,
            low=low,
            high=high,
            opened=now,
            parent=numbers[0] if numbers else None,
            adjacent_parent=numbers[1] if len(numbers) > 1 else None,
        )
        self._next_key += 1
        stream.next_shard += 1
        stream.shards.append(shard)
        with self._changed:
            self._tails[shard.key] = (0, 0)
            self._changed.notify_all()
        return shard

    def tail(self, shard: int) -> tuple[int, int]:
        """Position and arrival (epoch ms) of the newest record ever given to a shard that is still held."""
        return self._tails[shard]

    def advance(self, shard: int, position: int, arrived: int) -> None:
        """Say that a shard has records up to `position`, and wake those that wait for them."""
        with self._changed:
            self._tails[shard] = (position, arrived)
            self._changed.notify_all()

    def wait_past(self, shard: Shard, position: int, timeout: float) -> None:
        """Wait until a shard has a record behind `position` or is closed, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not shard.open or self._tails[shard.key][0] > position, timeout)

    def save(self, stream: Stream) -> None:
        self.store.save_stream(stream.name, stream.to_document())

    def trim(self) -> None:
        """Forget records, and shards closed, before the retention period began."""
        for stream in self.all():
            horizon = time.time() - stream.retention_hours * 3600
            for shard in list(stream.shards):
                # The newest record stays as the marker of the shard's position after a restart.
                through = self.store.before(shard.key, int(horizon * 1000))
                through = min(through, self.tail(shard.key)[0] - 1) if shard.open else through
                if through > 0:
                    self.store.trim(shard.key, through)
                if shard.closed is not None and shard.closed < horizon:
                    with self.lock:
                        stream.shards.remove(shard)
                        self.save(stream)

    def _change(self, stream: Stream, status: str) -> None:
        stream.changing, stream.settled = status, time.time() + self._settle

    def _purge(self) -> None:
        now = time.time()
        for stream in [
            candidate
            for candidate in self._streams.values()
            if candidate.changing == "DELETING" and candidate.settled <= now
        ]:
            del self._streams[stream.name]
            self.store.delete_stream(stream.name, [shard.key for shard in stream.shards])


def stream_name(params: Params) -> str:
    """The stream's name out of StreamName, StreamARN, ResourceARN or a consumer's ARN."""
    arn = params.get("StreamARN") or params.get("ResourceARN")
    if arn:
        parts = str(arn).split(":")
        resource = ":".join(parts[5:])
        if len(parts) < 6 or parts[2] != "kinesis" or not resource.startswith("stream/"):
            raise AwsError("InvalidArgumentException", f"{arn} is not the ARN of a stream.")
        if parts[4] != ACCOUNT:
            raise not_found(resource.split("/")[1])
        return resource.split("/")[1]
    name = params.get("StreamName")
    if not name:
        raise AwsError("InvalidArgumentException", "Either StreamName or StreamARN must be provided.")
    return str(name)


def not_found(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Stream {name} under account {ACCOUNT} not found.")
