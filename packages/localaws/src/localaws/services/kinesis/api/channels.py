"""Channels, by which a stream delivers to S3 by itself, are rejected: a Firehose delivery stream does that here."""

from collections.abc import Callable

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Params, Response


def _create(_: Params) -> Response:
    message = (
        "Channels are not supported locally: deliver the stream with a Firehose delivery stream, to S3 (as it is, or"
        " converted to Parquet or ORC) or to Iceberg tables."
    )
    raise AwsError("InvalidArgumentException", message)


def _absent(params: Params) -> Response:
    raise AwsError("ResourceNotFoundException", f"Channel {params['ChannelARN']} under account {ACCOUNT} not found.")


def _list(_: Params) -> Response:
    return {"ChannelSummaries": []}


CHANNEL_ACTIONS: dict[str, Callable[[Params], Response]] = {
    "CreateChannel": _create,
    "DeleteChannel": _absent,
    "DescribeChannel": _absent,
    "UpdateChannel": _absent,
    "ListChannels": _list,
}
