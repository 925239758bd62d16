"""Refused deliveries in the log group that a destination names.

Source of the form: "Monitor Amazon Data Firehose using CloudWatch Logs".
"""

import contextlib
import json
import time

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.services.firehose.streams.model import DeliveryStream

_CODES = {
    "AccessDenied": "S3.AccessDenied",
    "AccessDeniedException": "S3.AccessDenied",
    "NoSuchBucket": "S3.NoSuchBucket",
}


def write(cloud: Cloud, stream: DeliveryStream, error: AwsError, caller: Caller) -> None:
    """Log why a delivery was refused, if the destination asks for it, its role may and the log stream exists."""
    options = stream.destination.shown["CloudWatchLoggingOptions"]
    if not options.get("Enabled"):
        return
    message = {
        "deliveryStreamARN": stream.arn,
        "destination": f"arn:aws:s3:::{stream.destination.bucket}",
        "deliveryStreamVersionId": stream.version,
        "message": error.message,
        "errorCode": _CODES.get(error.code, "S3.InternalError"),
    }
    params = {
        "logGroupName": options["LogGroupName"],
        "logStreamName": options["LogStreamName"],
        "logEvents": [{"timestamp": int(time.time() * 1000), "message": json.dumps(message)}],
    }
    # The log is a courtesy: the delivery is tried again whether or not it can be written.
    with contextlib.suppress(AwsError):
        cloud.call("logs", "PutLogEvents", params, caller)
