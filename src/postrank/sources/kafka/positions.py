"""Where the reading of a topic stands: the next offset of each partition, and the time of the message before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import orjson

from postrank.errors import Fatal
from postrank.sources import Cursor


class OtherTopic(Fatal):
    """A cursor belongs to another topic than the one that is to be read."""

    def __init__(self, topic: str, other: str) -> None:
        super().__init__(
            f"the checkpoint holds offsets of the topic {other}, and source.topic is {topic}: "
            "name a new state folder, or the former topic"
        )


@dataclass(slots=True)
class Positions:
    """Offsets and times of one topic, by partition. As a cursor: `{"topic": ..., "partitions": {"0": [next, ms]}}`."""

    topic: str
    offsets: dict[int, int] = field(default_factory=dict)  # the next to read
    times: dict[int, int] = field(default_factory=dict)  # of the newest message read, in ms since 1970

    @classmethod
    def of(cls, topic: str, cursor: Cursor | None) -> Self:
        """The positions of a cursor; none where there is no cursor. Raises OtherTopic."""
        if cursor is None:
            return cls(topic)
        document = orjson.loads(cursor)
        if document["topic"] != topic:
            raise OtherTopic(topic, document["topic"])
        partitions: Mapping[str, list[int]] = document["partitions"]
        return cls(
            topic,
            {int(number): offset for number, (offset, _) in partitions.items()},
            {int(number): time for number, (_, time) in partitions.items()},
        )

    def to_cursor(self) -> Cursor:
        partitions = {str(number): [offset, self.times.get(number, 0)] for number, offset in self.offsets.items()}
        return orjson.dumps({"topic": self.topic, "partitions": partitions}).decode()

    def advance(self, partition: int, offset: int, milliseconds: int) -> None:
        """A message was read."""
        self.offsets[partition] = offset + 1
        self.times[partition] = max(self.times.get(partition, 0), milliseconds)

    def read_until(self, partition: int, default: datetime) -> datetime:
        """The time of the newest message that was read of a partition."""
        milliseconds = self.times.get(partition, 0)
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else default
