"""On-demand streams grow: room for twice the traffic that they were seen to take.

Source: "Choose the right mode" (Kinesis Data Streams): such a stream takes up to double its previous peak.
"""

import logging
import math
import time

from localaws.core.cloud import AwsError
from localaws.core.periodic import Periodic
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.limits import BYTES_PER_SECOND, RECORDS_PER_SECOND
from localaws.services.kinesis.streams.metrics import Counting, Traffic
from localaws.services.kinesis.streams.shards import ShardActions

LOOK_EVERY = 15.0  # seconds at speed 1
_LEAST = 1.0  # however fast waits run: a rate is per second
MAX_SHARDS = 200  # "Quotas and limits": an on-demand stream takes up to 200 MB/s

_log = logging.getLogger(__name__)


class OnDemand:
    """Splits the shards of on-demand streams as their traffic grows. They are not merged again: the peak is kept."""

    def __init__(self, streams: Streams, shards: ShardActions, counting: Counting, speed: float) -> None:
        self._streams = streams
        self._shards = shards
        self._counting = counting
        self._looked = time.monotonic()
        self._looks = Periodic("kinesis-on-demand", self._look, max(_LEAST, LOOK_EVERY / speed))

    def start(self) -> None:
        self._looked = time.monotonic()
        self._looks.start()

    def stop(self) -> None:
        self._looks.stop()

    def _look(self) -> None:
        now = time.monotonic()
        seconds = now - self._looked
        self._looked = now
        for name, taken in self._counting.take_traffic().items():
            self._grow(name, _shards_for(taken, seconds))

    def _grow(self, name: str, shards: int) -> None:
        try:
            stream = self._streams.named(name)
            if stream.mode != "ON_DEMAND" or shards <= len(stream.open_shards):
                return
            with self._streams.update({"StreamName": name}):
                self._shards.scale(stream, min(shards, MAX_SHARDS))
        except AwsError as error:
            # Deleted, or changing already: the next look sees.
            _log.info("stream %s does not grow now: %s", name, error.message)


def _shards_for(taken: Traffic, seconds: float) -> int:
    """Shards that take twice this traffic."""
    load = max(taken.records / RECORDS_PER_SECOND, taken.size / BYTES_PER_SECOND)
    return math.ceil(2 * load / seconds)
