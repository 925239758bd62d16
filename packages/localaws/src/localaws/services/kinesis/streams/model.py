"""The shapes of a stream: its shards, its consumers, and what is remembered of them over a restart."""

from dataclasses import asdict, dataclass, field

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.shapes import Document

HASH_SPACE = 2**128  # "HashKeyRange": MD5 of the partition key, 0 .. 2**128 - 1


@dataclass(slots=True, kw_only=True)
class Shard:
    """One shard. `key` names it in the record store; `number` is the one in its public id."""

    key: int
    number: int
    low: int  # first hash key, inclusive
    high: int  # last hash key, inclusive
    opened: float  # epoch seconds
    closed: float | None = None
    last: int | None = None  # position of its last record once closed (0: it never had one)
    parent: int | None = None
    adjacent_parent: int | None = None

    @property
    def id(self) -> str:
        return f"shardId-{self.number:012d}"

    @property
    def open(self) -> bool:
        return self.closed is None

    def holds(self, hash_key: int) -> bool:
        return self.low <= hash_key <= self.high


@dataclass(slots=True, kw_only=True)
class Consumer:
    """A registered consumer (enhanced fan-out)."""

    name: str
    created: float
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Stream:
    """One stream and all its shards, in the order of their numbers."""

    name: str
    created: float
    mode: str = "PROVISIONED"  # or ON_DEMAND
    retention_hours: int = 24
    encryption: str = "NONE"
    key_id: str | None = None
    max_record_kib: int = 1024
    warm_mibps: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    policy: str | None = None  # resource policy, as JSON
    metrics: list[str] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    consumers: list[Consumer] = field(default_factory=list)
    next_shard: int = 0
    changing: str | None = None  # CREATING, UPDATING or DELETING until `settled`
    settled: float = 0.0

    @property
    def arn(self) -> str:
        return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{self.name}"

    @property
    def open_shards(self) -> list[Shard]:
        """The open shards by hash key: together they cover the hash space once."""
        return sorted((shard for shard in self.shards if shard.open), key=lambda shard: shard.low)

    def status(self, now: float) -> str:
        return self.changing if self.changing and now < self.settled else "ACTIVE"

    def consumer_arn(self, consumer: Consumer) -> str:
        return f"{self.arn}/consumer/{consumer.name}:{int(consumer.created)}"

    def to_document(self) -> Document:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Document) -> "Stream":
        shards = [Shard(**shard) for shard in document.pop("shards")]
        consumers = [Consumer(**consumer) for consumer in document.pop("consumers")]
        return cls(**document, shards=shards, consumers=consumers)
