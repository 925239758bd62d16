"""Events of the results bucket, as S3 sends them to a queue: which objects they name.

Source of their form: "Event message structure" (Amazon S3 user guide). A key in it is encoded as in a URL's query.
"""

import json
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

from postrank.documents import Document, JsonObject
from postrank.warehouse.objects import kind_of

_CREATED = "ObjectCreated:"


def created_keys(messages: Iterable[JsonObject]) -> tuple[list[str], int]:
    """The loadable keys that SQS messages name, each once, and how many bodies are no events of S3."""
    keys: dict[str, None] = {}
    broken = 0
    for message in messages:
        try:
            keys |= dict.fromkeys(key for key in _keys(json.loads(message["Body"])) if kind_of(key))
        except (ValueError, KeyError, TypeError, AttributeError):
            broken += 1
    return list(keys), broken


def _keys(body: Document) -> Iterator[str]:
    """The keys of one body. The event with which S3 tests a configuration has none."""
    if body.get("Event") == "s3:TestEvent":
        return
    for record in body["Records"]:
        if record["eventName"].startswith(_CREATED):
            yield unquote_plus(record["s3"]["object"]["key"])
