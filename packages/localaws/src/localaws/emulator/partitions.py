"""GetPartitions over an index of each table's partitions.

moto asks every partition of a table in turn, and knows neither pages nor ExcludeColumnSchema; the cost of a query would
grow with all that lies behind it. The index is part of moto's own records, so that it is as they are after a replay.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from localaws.core.shapes import Document
from localaws.emulator.partition_filters import Filter, Keys
from localaws.wire.request import HttpRequest

_MOST = 1000  # partitions of a page ("GetPartitions", MaxResults)
_LONGEST = 2048  # characters of an expression ("GetPartitions", Expression)
_TARGET = "AWSGlue."


def install(request: HttpRequest) -> None:
    """Give moto the index, before the first call of Glue is answered."""
    if request.headers.get("x-amz-target", "").startswith(_TARGET):
        _install()


@cache
def _install() -> None:
    from moto.glue import models, responses

    original_init = models.FakeTable.__init__

    def make(table: Any, *arguments: Any, **named: Any) -> None:
        original_init(table, *arguments, **named)
        table.partitions = Partitions()

    models.FakeTable.__init__ = make  # type: ignore[method-assign,assignment]  # replaces moto's
    responses.GlueResponse.get_partitions = _answer  # type: ignore[method-assign,assignment]  # replaces moto's


class Partitions(Document):
    """A table's partitions by moto's key of them; for each partition key, which have a value."""

    by_value: list[dict[str, Keys]]

    def __new__(cls) -> "Partitions":
        partitions = super().__new__(cls)
        partitions.by_value = []  # not in __init__, which the reading of a snapshot leaves out
        return partitions

    def __setitem__(self, key: str, partition: Any) -> None:
        values = [str(value) for value in partition.values]
        while len(self.by_value) < len(values):
            self.by_value.append({})
        for index, value in zip(self.by_value, values, strict=False):
            index.setdefault(value, set()).add(key)
        super().__setitem__(key, partition)

    def __delitem__(self, key: str) -> None:
        for index, value in zip(self.by_value, self[key].values, strict=False):
            there = index[str(value)]
            there.discard(key)
            if not there:
                del index[str(value)]
        super().__delitem__(key)

    def pop(self, key: str, *default: Any) -> Any:
        if key not in self and default:
            return default[0]
        partition = self[key]
        del self[key]
        return partition


def _answer(response: Any) -> str:
    """Answer GetPartitions: a page of the partitions that the expression leaves, by their values."""
    from moto.glue.exceptions import InvalidInputException

    params = response.parameters
    table = response.glue_backend.get_table(params["DatabaseName"], params["TableName"])
    size = params.get("MaxResults", _MOST)
    if not 0 < size <= _MOST:
        raise InvalidInputException("GetPartitions", f"MaxResults must be between 1 and {_MOST}")
    try:
        keys = sorted(_selected(table, params.get("Expression") or ""))
        after = base64.b64decode(params.get("NextToken") or "", validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise InvalidInputException("GetPartitions", f"Invalid expression or token: {error}") from error
    if segment := params.get("Segment"):
        keys = keys[segment["SegmentNumber"] :: segment["TotalSegments"]]
    left = [key for key in keys if key > after]
    shown = [_shown(table.partitions[key], bare=params.get("ExcludeColumnSchema") is True) for key in left[:size]]
    more = {"NextToken": base64.b64encode(left[size - 1].encode()).decode()} if len(left) > size else {}
    return json.dumps({"Partitions": shown, **more}, default=_epoch)


def _selected(table: Any, expression: str) -> Keys | Partitions:
    """The keys of the partitions for which an expression holds. Raises ValueError."""
    from moto.glue.utils import _cast

    if not isinstance(table.partitions, Partitions):  # of a snapshot that was made without the index
        plain = table.partitions
        table.partitions = Partitions()
        for key, partition in plain.items():
            table.partitions[key] = partition
    if not expression.strip():
        return table.partitions
    if len(expression) > _LONGEST:
        raise ValueError(f"the expression is longer than {_LONGEST} characters")
    described = table.versions[str(table._current_version)].get("PartitionKeys") or []
    keys = [(key["Name"], key.get("Type") or "string") for key in described]
    values = table.partitions.by_value or [{} for _ in keys]
    return Filter(expression, keys, values, _cast).matches()


def _shown(partition: Any, *, bare: bool) -> Document:
    description: Document = partition.as_dict()
    if bare and description.get("StorageDescriptor"):
        storage = {name: value for name, value in description["StorageDescriptor"].items() if name != "Columns"}
        description["StorageDescriptor"] = storage
    return description


def _epoch(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
