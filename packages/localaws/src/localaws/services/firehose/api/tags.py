"""Tags of delivery streams."""

from collections.abc import Callable

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.firehose.streams.catalogue import Streams

MAX_TAGS = 50  # "TagDeliveryStream"


class TagActions:
    """Answers the calls about tags."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "TagDeliveryStream": self.add,
            "UntagDeliveryStream": self.remove,
            "ListTagsForDeliveryStream": self.list_tags,
        }

    def add(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            tags = {**stream.tags, **{tag["Key"]: tag.get("Value", "") for tag in params["Tags"]}}
            if len(tags) > MAX_TAGS:
                raise AwsError("LimitExceededException", f"A delivery stream has at most {MAX_TAGS} tags.")
            stream.tags = tags
        return {}

    def remove(self, params: Params) -> Response:
        with self._streams.update(params) as stream:
            stream.tags = {key: value for key, value in stream.tags.items() if key not in params["TagKeys"]}
        return {}

    def list_tags(self, params: Params) -> Response:
        after = params.get("ExclusiveStartTagKey") or ""
        limit = params.get("Limit") or MAX_TAGS
        tags = [(key, value) for key, value in sorted(self._streams.find(params).tags.items()) if key > after]
        return {
            "Tags": [{"Key": key, "Value": value} for key, value in tags[:limit]],
            "HasMoreTags": len(tags) > limit,
        }
