"""What was tried since the streamer was last well: one small object in the lake bucket, read by the next run."""

import json
from collections.abc import Sequence

from botocore.exceptions import ClientError

from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES

_KEY = "state/supervision.json"


def tried() -> list[str]:
    """The actions since the streamer was last well, the oldest first."""
    try:
        body = clients.client("s3").get_object(Bucket=RESOURCES.buckets["lake"], Key=_KEY)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return []
        raise
    return list(json.loads(body)["tried"])


def remember(actions: Sequence[str]) -> None:
    """Replace what is remembered."""
    body = json.dumps({"tried": list(actions)}).encode()
    clients.client("s3").put_object(Bucket=RESOURCES.buckets["lake"], Key=_KEY, Body=body)
