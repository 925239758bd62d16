"""What a shard takes and gives per second, as token buckets.

Source: "Quotas and limits" (Kinesis Data Streams): per shard 1,000 records/s and 1 MB/s in, 5 GetRecords calls/s and
2 MB/s out; a GetRecords of 10 MB makes the shard refuse reads for the next 5 seconds.
"""

import time
from collections.abc import Callable

MIB = 1024 * 1024
RECORDS_PER_SECOND = 1000
BYTES_PER_SECOND = MIB
READS_PER_SECOND = 5
READ_BYTES_PER_SECOND = 2 * MIB


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
    """The limits of every shard by its key. A factor of None admits everything."""

    def __init__(self, factor: float | None) -> None:
        self._factor = factor
        self._shards: dict[int, ShardLimits] = {}

    def admit_write(self, shard: int, size: int) -> bool:
        return self._factor is None or self._of(shard).admit_write(size)

    def admit_read(self, shard: int) -> bool:
        return self._factor is None or self._of(shard).admit_read()

    def count_read(self, shard: int, size: int) -> None:
        if self._factor is not None:
            self._of(shard).count_read(size)

    def _of(self, shard: int) -> ShardLimits:
        if shard not in self._shards:
            self._shards[shard] = ShardLimits(self._factor or 1.0)
        return self._shards[shard]


def limit_factor(text: str) -> float | None:
    """Read the setting LOCALAWS_KINESIS_LIMITS: "off", or a factor above 0 by which the limits are widened.

    Raises ValueError for anything else.
    """
    if text.strip().lower() == "off":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise ValueError(f'LOCALAWS_KINESIS_LIMITS is {text!r}; it takes "off" or a factor above 0')
    return factor
