"""Resource policies of streams: kept and shown. Whether they allow a call is for the gateway to say."""

import json
from collections.abc import Callable

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.streams.catalogue import Streams


class PolicyActions:
    """Answers the calls about resource policies."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "PutResourcePolicy": self.put,
            "GetResourcePolicy": self.get,
            "DeleteResourcePolicy": self.delete,
        }

    def put(self, params: Params) -> Response:
        try:
            json.loads(params["Policy"])
        except ValueError as error:
            raise AwsError("InvalidArgumentException", f"The policy is not valid JSON: {error}") from error
        with self._streams.update(params, settles=False) as stream:
            stream.policy = params["Policy"]
        return {}

    def get(self, params: Params) -> Response:
        return {"Policy": self._streams.find(params).policy or "{}"}

    def delete(self, params: Params) -> Response:
        with self._streams.update(params, settles=False) as stream:
            if stream.policy is None:
                raise AwsError("ResourceNotFoundException", f"{stream.arn} has no resource policy.")
            stream.policy = None
        return {}
