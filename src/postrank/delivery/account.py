"""The running accounts of the posts' delivery, kept between runs of `check_delivery` as JSON objects in the lake
bucket: one of what lies in the raw zone, and one of what each collector had acknowledged.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postrank.aws.resources import MAIN
from postrank.delivery.conservation import Sample
from postrank.delivery.lines import DeliveredLines, Hour
from postrank.documents import Document

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STATE = "state/delivery.json"
_SAMPLES = 200


@dataclass(slots=True)
class Account:
    """What one collector had acknowledged. `base`: its lines that were in the lake before its counts began."""

    base: int = 0
    samples: list[Sample] = field(default_factory=list)

    def add(self, sample: Sample, in_lake: int) -> None:
        """Note what is acknowledged now. Counts that are less than before belong to a new state folder; its lines are
        taken to have arrived.
        """
        if self.samples and sample.acknowledged < self.samples[-1].acknowledged:
            self.base = max(in_lake - sample.acknowledged, 0)
            self.samples = []
        self.samples = [*self.samples, sample][-_SAMPLES:]


@dataclass(slots=True)
class DeliveredSoFar:
    """What lies in the raw zone, and what lay there and has expired."""

    hours: dict[str, Hour] = field(default_factory=dict)
    expired: dict[str, int] = field(default_factory=dict)


def load_delivered(s3: "S3Client", bucket: str) -> DeliveredSoFar:
    """What the last run counted; nothing before the first one."""
    state = _read(s3, bucket, STATE)
    hours = {name: Hour(**hour) for name, hour in state.get("hours", {}).items()}
    return DeliveredSoFar(hours, state.get("expired", {}))


def save_delivered(s3: "S3Client", bucket: str, delivered: DeliveredLines) -> None:
    """Replace it. An earlier version kept the account of `main` in the same object, where it stays."""
    hours = {name: asdict(hour) for name, hour in delivered.hours.items()}
    _write(s3, bucket, STATE, {**_read(s3, bucket, STATE), "hours": hours, "expired": dict(delivered.expired)})


def load_account(s3: "S3Client", bucket: str, collector: str) -> Account:
    """A collector's account as the last run left it; an empty one before the first."""
    state = _read(s3, bucket, key_of(collector))
    if not state and collector == MAIN:
        state = _read(s3, bucket, STATE)  # of an earlier version
    samples = [
        Sample(datetime.fromisoformat(sample["at"]), sample["acknowledged"]) for sample in state.get("samples", ())
    ]
    return Account(state.get("base", 0), samples)


def save_account(s3: "S3Client", bucket: str, collector: str, account: Account) -> None:
    _write(s3, bucket, key_of(collector), asdict(account))


def key_of(collector: str) -> str:
    """The object that holds a collector's account."""
    return f"state/delivery/{collector}.json"


def _read(s3: "S3Client", bucket: str, key: str) -> Document:
    try:
        document: Document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return {}
    return document


def _write(s3: "S3Client", bucket: str, key: str, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, default=datetime.isoformat)
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")
