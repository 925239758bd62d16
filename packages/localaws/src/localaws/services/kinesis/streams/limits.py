"""What a shard takes and gives per second, as token buckets.

Source: "Quotas and limits" (Kinesis Data Streams): per shard 1,000 records/s and 1 MB/s in, 5 GetRecords calls/s and
2 MB/s out; a GetRecords of 10 MB makes the shard refuse reads for the next 5 seconds.
"""

import time
from collections.abc import Callable, Mapping

from localaws.core.cloud import AwsError

MIB = 1024 * 1024
RECORDS_PER_SECOND = 1000
BYTES_PER_SECOND = MIB
READS_PER_SECOND = 5
READ_BYTES_PER_SECOND = 2 * MIB
LIMITS_TAG = "localaws:kinesis-limits"  # a tag of a stream: "off", or the factor by which its limits are widened


class TokenBucket:
    """Holds up to one second's worth of tokens; `borrow` may leave it in debt, which later calls wait out."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self.rate = rate
        self._clock = clock
        self._tokens = rate
        self._filled = clock()

    def has(self, amount: float) -> bool:
        """Whether `amount` is there; a bucket that is full has enough for anything."""
        self._fill()
        return self._tokens >= min(amount, self.rate)

    def borrow(self, amount: float) -> None:
        self._tokens -= amount

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self.rate, self._tokens + (now - self._filled) * self.rate)
        self._filled = now


class ShardLimits:
    """The four limits of one shard, `factor` times as wide as AWS's."""

    def __init__(self, factor: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = TokenBucket(RECORDS_PER_SECOND * factor, clock)
        self._bytes = TokenBucket(BYTES_PER_SECOND * factor, clock)
        self._reads = TokenBucket(READS_PER_SECOND * factor, clock)
        self._read_bytes = TokenBucket(READ_BYTES_PER_SECOND * factor, clock)

    def admit_write(self, size: int) -> bool:
        """Take one record of `size` bytes, or say no and take nothing."""
        if not (self._records.has(1) and self._bytes.has(size)):
            return False
        self._records.borrow(1)
        self._bytes.borrow(size)
        return True

    def admit_read(self) -> bool:
        """Take one GetRecords call; its size is told afterwards, through `count_read`."""
        if not (self._reads.has(1) and self._read_bytes.has(1)):
            return False
        self._reads.borrow(1)
        return True

    def count_read(self, size: int) -> None:
        self._read_bytes.borrow(size)


class Throttle:
    """The limits of every shard by its key. `tags` are those of its stream: LIMITS_TAG sets the stream's own factor.

    A factor of None admits everything.
    """

    def __init__(self, factor: float | None) -> None:
        self._factor = factor
        self._shards: dict[int, tuple[float, ShardLimits]] = {}

    def factor(self, tags: Mapping[str, str]) -> float | None:
        """By how much the limits of a stream are widened."""
        setting = tags.get(LIMITS_TAG)
        return self._factor if setting is None else limit_factor(setting)

    def admit_write(self, shard: int, size: int, tags: Mapping[str, str]) -> bool:
        limits = self._of(shard, tags)
        return limits is None or limits.admit_write(size)

    def admit_read(self, shard: int, tags: Mapping[str, str]) -> bool:
        limits = self._of(shard, tags)
        return limits is None or limits.admit_read()

    def count_read(self, shard: int, size: int, tags: Mapping[str, str]) -> None:
        if limits := self._of(shard, tags):
            limits.count_read(size)

    def _of(self, shard: int, tags: Mapping[str, str]) -> ShardLimits | None:
        factor = self.factor(tags)
        if factor is None:
            return None
        existing = self._shards.get(shard)
        if existing is None or existing[0] != factor:
            existing = self._shards[shard] = (factor, ShardLimits(factor))
        return existing[1]


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises AwsError InvalidArgumentException for a LIMITS_TAG that `limit_factor` cannot read."""
    try:
        limit_factor(tags.get(LIMITS_TAG, "1"), f"The tag {LIMITS_TAG}")
    except ValueError as error:
        raise AwsError("InvalidArgumentException", f"{error}.") from error


def limit_factor(text: str, setting: str = "LOCALAWS_KINESIS_LIMITS") -> float | None:
    """Read a setting of limits: "off", or a factor above 0 by which they are widened.

    Raises ValueError for anything else.
    """
    if text.strip().lower() == "off":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise ValueError(f'{setting} is {text!r}; it takes "off" or a factor above 0')
    return factor
