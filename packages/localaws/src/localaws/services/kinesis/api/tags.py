"""Tags of streams, through the older calls (by stream) and the newer ones (by ARN)."""

from collections.abc import Callable

from localaws.core.cloud import AwsError
from localaws.core.paging import page
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.kinesis.api.consumers import find_consumer
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.limits import check_tags
from localaws.services.kinesis.streams.model import Consumer, Stream

MAX_TAGS = 50  # "AddTagsToStream"


class TagActions:
    """Answers the calls about tags."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "AddTagsToStream": self.add,
            "TagResource": self.add,
            "RemoveTagsFromStream": self.remove,
            "UntagResource": self.remove,
            "ListTagsForStream": self.list_for_stream,
            "ListTagsForResource": self.list_for_resource,
        }

    def add(self, params: Params) -> Response:
        check_tags(params["Tags"])
        with self._streams.update(params, settles=False) as stream:
            tagged = _tagged(stream, params)
            tags = {**tagged.tags, **params["Tags"]}
            if len(tags) > MAX_TAGS:
                raise AwsError(
                    "InvalidArgumentException", f"Failed to add tags to {tagged.name}: over {MAX_TAGS} tags."
                )
            tagged.tags = tags
        return {}

    def remove(self, params: Params) -> Response:
        with self._streams.update(params, settles=False) as stream:
            tagged = _tagged(stream, params)
            tagged.tags = {key: value for key, value in tagged.tags.items() if key not in params["TagKeys"]}
        return {}

    def list_for_stream(self, params: Params) -> Response:
        tags = sorted(self._streams.find(params).tags.items())
        after = params.get("ExclusiveStartTagKey") or ""
        shown, more = page([tag for tag in tags if tag[0] > after], params.get("Limit"), default=MAX_TAGS, most=50)
        return {"Tags": [{"Key": key, "Value": value} for key, value in shown], "HasMoreTags": more}

    def list_for_resource(self, params: Params) -> Response:
        tagged = _tagged(self._streams.find(params), params)
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tagged.tags.items())]}


def _tagged(stream: Stream, params: Params) -> Stream | Consumer:
    """The stream, or the consumer of it that ResourceARN names."""
    arn = params.get("ResourceARN") or stream.arn
    return stream if "/consumer/" not in arn else find_consumer(stream, arn=arn)
