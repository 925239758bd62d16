"""The running account of the posts' delivery, kept between runs of `check_delivery` as one JSON object."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.delivery.conservation import Sample
from postrank.delivery.lines import Hour

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STATE = "state/delivery.json"  # in the lake bucket
_SAMPLES = 200


@dataclass(slots=True)
class Account:
    """What was acknowledged by one collector, and what lies in the lake."""

    collector: str
    base: int  # lines that were in the lake before this collector's counts began
    hours: dict[str, Hour]
    samples: list[Sample]

    @property
    def lines(self) -> int:
        return sum(hour.lines for hour in self.hours.values()) - self.base

    def add(self, sample: Sample) -> None:
        self.samples = [*self.samples, sample][-_SAMPLES:]


def load(s3: "S3Client", bucket: str) -> Account | None:
    """The account as the last run left it."""
    try:
        state = json.loads(s3.get_object(Bucket=bucket, Key=STATE)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    samples = [Sample(datetime.fromisoformat(sample["at"]), sample["acknowledged"]) for sample in state["samples"]]
    hours = {name: Hour(**hour) for name, hour in state["hours"].items()}
    return Account(state["collector"], state["base"], hours, samples)


def save(s3: "S3Client", bucket: str, account: Account) -> None:
    text = json.dumps(asdict(account), default=datetime.isoformat)
    s3.put_object(Bucket=bucket, Key=STATE, Body=text.encode(), ContentType="application/json")
