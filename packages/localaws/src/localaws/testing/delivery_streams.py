"""A bucket, a role and delivery streams into it, for tests."""

import gzip
import json
from typing import NamedTuple

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
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kinesis:*", "logs:*"], "Resource": "*"}],
}


class Object(NamedTuple):
    key: str
    body: bytes


class Lake:
    """Clients, a fresh bucket, and delivery streams into it with a buffer of 60 s."""

    def __init__(self, aws):
        self.aws = aws
        self.s3, self.kinesis, self.firehose = (aws.client(name) for name in ("s3", "kinesis", "firehose"))
        self.cloudwatch = aws.client("cloudwatch")
        self.bucket = unique("lake")
        self.s3.create_bucket(Bucket=self.bucket)
        self.role = role_for(aws)

    def deliver(self, source=None, Tags=(), **configuration):
        """The name of a new delivery stream, ACTIVE, from the Kinesis stream `source` or from direct puts."""
        name = unique("delivery")
        origin = {"DeliveryStreamType": "DirectPut"}
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

    def describe(self, name):
        return self.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]

    def wait_for_objects(self, count, *, bucket=None, timeout=10):
        def there():
            found = objects(self.s3, bucket or self.bucket)
            return found if len(found) >= count else None

        found = wait_for(there, timeout=timeout, what=f"{count} delivered objects")
        assert len(found) == count
        return found

    def wait_for_lines(self, count, *, timeout=15):
        """The lines of all objects, once there are that many."""

        def there():
            lines = [line for one in objects(self.s3, self.bucket) for line in _text(one).splitlines()]
            return lines if len(lines) >= count else None

        return wait_for(there, timeout=timeout, what=f"{count} delivered lines")


def objects(s3, bucket):
    """Every object of a bucket with its body, by key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [Object(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def role_for(aws):
    """The ARN of a role that Firehose may assume, made when it is missing."""
    iam = aws.client("iam")
    try:
        return iam.get_role(RoleName=ROLE)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE, PolicyName="delivery", PolicyDocument=json.dumps(_POLICY))
        return arn


def _text(one):
    return (gzip.decompress(one.body) if one.key.endswith(".gz") else one.body).decode()
