"""What was tried since the streamer was last well: one small object in the lake bucket, read by the next run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class History:
    """The actions that were tried, in the object `key` of `bucket`."""

    s3: "S3Client"
    bucket: str
    key: str

    def tried(self) -> list[str]:
        """The actions since the streamer was last well, the oldest first."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return []
            raise
        return list(json.loads(body)["tried"])

    def remember(self, actions: Sequence[str]) -> None:
        """Replace what is remembered."""
        self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=json.dumps({"tried": list(actions)}).encode())
