"""What happens to a record before it is buffered: taken apart, its partition keys read, a delimiter appended.

Partition keys are read by the jq program of the MetadataExtraction processor, all of jq 1.6 and newer. Decompression
and CloudWatchLogProcessing are not supported and are refused when configured; `transformation` holds Lambda.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from localaws.core.cloud import AwsError
from localaws.core.shapes import Structure

_SUPPORTED = ("RecordDeAggregation", "Lambda", "MetadataExtraction", "AppendDelimiterToRecord")
_WORD = re.compile(r'\s*(?:([A-Za-z_][A-Za-z0-9_]*)|"([^"\\]*)")\s*[:,}]')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
MAX_KEY_BYTES = 1024


class ProcessingFailed(Exception):
    """A record that cannot be partitioned; it goes to the error prefix with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Piece(NamedTuple):
    """What is buffered: the values of the partition keys, in the order of `Pipeline.keys`, and the bytes."""

    partition: tuple[str, ...]
    data: bytes


class Pipeline:
    """The processors of a destination, checked and made ready. Raises AwsError InvalidArgumentException."""

    def __init__(self, processors: Sequence[Structure]) -> None:
        self._delimiter = b""
        self._split: str | None = None  # JSON or DELIMITED
        self._split_at = b""
        self._query: Any = None
        self.keys: list[str] = []
        for processor in processors:
            self._take(processor)

    @property
    def idle(self) -> bool:
        """Whether records pass as they are."""
        return self._query is None and self._split is None and not self._delimiter

    def apply(self, data: bytes) -> list[Piece]:
        """The pieces of one record. Raises ProcessingFailed."""
        return [self.finished(part) for part in self.parts(data)]

    def parts(self, data: bytes) -> list[bytes]:
        """What a record is de-aggregated to. Raises ProcessingFailed."""
        return [data] if self._split is None else self._parts(data)

    def finished(self, part: bytes, keys: Mapping[str, str] = {}, names: Sequence[str] = ()) -> Piece:
        """A part as it is buffered, in the partition of its own keys and of those a function returned (`names`).

        Raises ProcessingFailed.
        """
        own = self._partition(part)
        return Piece((*own, *(_value(keys, name) for name in names)), part + self._delimiter)

    def _take(self, processor: Structure) -> None:
        kind = processor["Type"]
        if kind not in _SUPPORTED:
            raise _invalid(f"The processor {kind} is not supported locally; {', '.join(_SUPPORTED)} are.")
        options = {
            parameter["ParameterName"]: parameter["ParameterValue"] for parameter in processor.get("Parameters") or []
        }
        if kind == "Lambda":
            if not options.get("LambdaArn"):
                raise _invalid("The processor Lambda needs a LambdaArn.")
        elif kind == "AppendDelimiterToRecord":
            self._delimiter = _unescape(options.get("Delimiter", "\\n"))
        elif kind == "RecordDeAggregation":
            self._split = options.get("SubRecordType")
            if self._split not in ("JSON", "DELIMITED"):
                raise _invalid("RecordDeAggregation needs a SubRecordType: JSON or DELIMITED.")
            if self._split == "DELIMITED":
                self._split_at = _decoded(options.get("Delimiter", ""))
        else:
            self._take_query(options)

    def _take_query(self, options: Mapping[str, str]) -> None:
        import jq  # here, because few streams are partitioned and the library takes its time to load

        engine = options.get("JsonParsingEngine")
        query = options.get("MetadataExtractionQuery")
        if engine != "JQ-1.6" or not query:
            raise _invalid("MetadataExtraction needs a MetadataExtractionQuery and the JsonParsingEngine JQ-1.6.")
        self.keys = _keys(query)
        try:
            self._query = jq.compile(query)
        except ValueError as error:
            raise _invalid(f"MetadataExtractionQuery {query} is not valid jq: {error}") from error

    def _parts(self, data: bytes) -> list[bytes]:
        if self._split == "DELIMITED":
            return [part for part in data.split(self._split_at) if part]
        return _json_documents(data)

    def _partition(self, data: bytes) -> tuple[str, ...]:
        if self._query is None:
            return ()
        try:
            result = self._query.input_text(data.decode()).first()
        except (ValueError, StopIteration) as error:
            raise ProcessingFailed("DynamicPartitioning.MetadataExtractionFailed", str(error)) from error
        if not isinstance(result, dict):
            raise ProcessingFailed("DynamicPartitioning.MetadataExtractionFailed", "the query gave no JSON object")
        return tuple(_value(result, key) for key in self.keys)


def _keys(query: str) -> list[str]:
    """The keys of the object that a query makes: those of its outermost braces."""
    keys: list[str] = []
    depth = at = 0
    while at < len(query):
        letter = query[at]
        string = _STRING.match(query, at)
        word = None
        if letter in "{[(":
            depth += 1
        elif letter in "}])":
            depth -= 1
        if depth == 1 and letter in "{,":
            word = _WORD.match(query, at + 1)
        if word:
            keys.append(word.group(1) or word.group(2))
        at = word.end() - 1 if word else string.end() if string else at + 1
    return keys


def _value(result: Structure, key: str) -> str:
    value = result.get(key)
    if value is None or value == "":
        raise ProcessingFailed(
            "DynamicPartitioning.MetadataExtractionFailed", f"partition key {key} is null, empty or absent"
        )
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text.encode()) > MAX_KEY_BYTES:
        raise ProcessingFailed("DynamicPartitioning.MetadataExtractionFailed", f"partition key {key} is too long")
    return text


def _json_documents(data: bytes) -> list[bytes]:
    """Documents that stand one after the other, with or without white space between; or the items of one array."""
    try:
        text = data.decode()
        decoder = json.JSONDecoder()
        parts: list[bytes] = []
        at = _skip_space(text, 0)
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            if isinstance(value, list):
                parts.extend(json.dumps(item, ensure_ascii=False).encode() for item in value)
            else:
                parts.append(text[at:end].encode())
            at = _skip_space(text, end)
    except ValueError as error:
        raise ProcessingFailed("DynamicPartitioning.DeaggregationFailed", str(error)) from error
    return parts


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _decoded(delimiter: str) -> bytes:
    """A delimiter of de-aggregation, which is configured in base64."""
    try:
        decoded = base64.b64decode(delimiter, validate=True)
    except ValueError:
        decoded = b""
    if not decoded:
        raise _invalid("RecordDeAggregation of type DELIMITED needs a Delimiter in base64.")
    return decoded


def _unescape(text: str) -> bytes:
    for escape, character in (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t")):
        text = text.replace(escape, character)
    return text.encode()


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
