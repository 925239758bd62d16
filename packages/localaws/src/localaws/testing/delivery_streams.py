"""A bucket, a role and delivery streams into it, for tests."""

import gzip
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from localaws.core.shapes import Document
from localaws.testing.server import LocalAws
from localaws.testing.streams import unique
from localaws.testing.waiting import wait_for

MIB = 1024 * 1024
ROLE = "delivery"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "kinesis:*", "logs:*", "glue:*", "lambda:*"], "Resource": "*"}
    ],
}


class Object(NamedTuple):
    key: str
    body: bytes


class Lake:
    """Clients, a fresh bucket, and delivery streams into it with a buffer of 60 s."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.s3 = aws.client("s3")
        self.kinesis = aws.client("kinesis")
        self.firehose = aws.client("firehose")
        self.cloudwatch = aws.client("cloudwatch")
        self.bucket = unique("lake")
        self.s3.create_bucket(Bucket=self.bucket)
        self.role = role_for(aws)

    def deliver(self, source: str | None = None, Tags: Sequence[dict[str, str]] = (), **configuration: Any) -> str:
        """The name of a new delivery stream, ACTIVE, from the Kinesis stream `source` or from direct puts."""
        name = unique("delivery")
        origin: Document = {"DeliveryStreamType": "DirectPut"}
        if source is not None:
            arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{source}"
            origin = {
                "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": {"KinesisStreamARN": arn, "RoleARN": self.role},
            }
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            **origin,
            **({"Tags": Tags} if Tags else {}),
            ExtendedS3DestinationConfiguration={
                "RoleARN": self.role,
                "BucketARN": f"arn:aws:s3:::{self.bucket}",
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
                **configuration,
            },
        )
        wait_for(lambda: self.describe(name)["DeliveryStreamStatus"] == "ACTIVE", what=f"{name} to be ACTIVE")
        return name

    def describe(self, name: str) -> Any:
        return self.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]

    def wait_for_objects(self, count: int, *, bucket: str | None = None, timeout: float = 10) -> list[Object]:
        """All objects, once there are that many; more are an error."""

        def delivered() -> list[Object] | None:
            listed = objects(self.s3, bucket or self.bucket)
            return listed if len(listed) >= count else None

        listed = wait_for(delivered, timeout=timeout, what=f"{count} delivered objects")
        assert len(listed) == count
        return listed

    def wait_for_lines(self, count: int, *, timeout: float = 15) -> list[str]:
        """The lines of all objects, once there are that many."""

        def delivered() -> list[str] | None:
            lines = [line for item in objects(self.s3, self.bucket) for line in _text(item).splitlines()]
            return lines if len(lines) >= count else None

        return wait_for(delivered, timeout=timeout, what=f"{count} delivered lines")


def objects(s3: Any, bucket: str) -> list[Object]:
    """Every object of a bucket with its body, by key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [Object(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def role_for(aws: LocalAws) -> str:
    """The ARN of a role that Firehose may assume, made when it is missing."""
    iam = aws.client("iam")
    try:
        return str(iam.get_role(RoleName=ROLE)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE, PolicyName="delivery", PolicyDocument=json.dumps(_POLICY))
        return str(arn)


def _text(item: Object) -> str:
    return (gzip.decompress(item.body) if item.key.endswith(".gz") else item.body).decode()
