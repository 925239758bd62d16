"""A delivery stream as it is remembered: where it reads, where it delivers, and how."""

from dataclasses import asdict, dataclass, field

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.shapes import Document


@dataclass(slots=True, kw_only=True)
class Destination:
    """The S3 destination, with every default filled in."""

    role: str
    bucket: str  # the bucket's name
    prefix: str | None  # as configured
    error_prefix: str | None
    size_mib: int
    interval: int  # seconds
    compression: str  # UNCOMPRESSED, GZIP or ZIP
    extension: str | None = None  # as configured
    time_zone: str = "UTC"
    dynamic: bool = False
    retry_seconds: int = 300
    processors: list[Document] = field(default_factory=list)  # as configured, empty while disabled
    conversion: Document = field(default_factory=dict)  # schema, serializer, deserializer; empty without one
    iceberg: Document = field(default_factory=dict)  # database, table; empty for S3
    shown: Document = field(default_factory=dict)  # what DescribeDeliveryStream gives back of it


@dataclass(slots=True, kw_only=True)
class DeliveryStream:
    """One delivery stream. `incarnation` tells streams of one name that lived one after the other apart."""

    name: str
    incarnation: str
    created: float  # epoch seconds
    updated: float
    version: int = 1
    source: str | None = None  # ARN of the stream that is read; None for DirectPut
    source_role: str | None = None
    destination: Destination
    extended: bool = True  # configured as ExtendedS3Destination rather than S3Destination
    encryption: dict[str, str] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    deleting: bool = False
    settled: float = 0.0

    @property
    def arn(self) -> str:
        return f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{self.name}"

    @property
    def kind(self) -> str:
        return "KinesisStreamAsSource" if self.source else "DirectPut"

    def status(self, now: float) -> str:
        if self.deleting:
            return "DELETING"
        return "CREATING" if now < self.settled else "ACTIVE"

    def to_document(self) -> Document:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Document) -> "DeliveryStream":
        destination = Destination(**document.pop("destination"))
        return cls(**document, destination=destination)
