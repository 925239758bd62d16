"""Records transformed by a Lambda function.

Source of the forms: "Required parameters for data transformation", "Handle failure in data transformation".
"""

import base64
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from localaws.core.cloud import REGION, AwsError, Caller
from localaws.core.functions import FunctionFailed, Functions
from localaws.core.shapes import Document, Json, Structure
from localaws.services.firehose.records.processing import ProcessingFailed
from localaws.services.firehose.records.sources import Arrived
from localaws.services.firehose.streams.model import DeliveryStream

_MIB = 1024 * 1024
_MOST_RECORDS = 500
_RESULTS = ("Ok", "Dropped", "ProcessingFailed")


class Transformed(NamedTuple):
    """What became of a record: its new data and partition keys, or a failure; neither for one that was dropped."""

    record: Arrived
    data: bytes | None = None
    keys: Mapping[str, str] = {}
    failure: ProcessingFailed | None = None


class Transformation:
    """The Lambda processor of a delivery stream."""

    def __init__(
        self,
        stream: DeliveryStream,
        options: Mapping[str, str],
        functions: Functions,
        assume: Callable[[str], Caller],
        authorize: Callable[[Caller, str, str], None],
    ) -> None:
        self._stream = stream
        self.arn = options["LambdaArn"]
        self._role = options.get("RoleArn") or stream.destination.role
        self._attempts = 1 + int(options.get("NumberOfRetries", "3"))
        self._most = int(float(options.get("BufferSizeInMBs", "1")) * _MIB)
        self._functions = functions
        self._assume = assume
        self._authorize = authorize

    def apply(self, shard: str, records: Sequence[Arrived]) -> Iterator[Transformed]:
        """The records in their order. One that could not be transformed has the failure."""
        for batch in self._batches(records):
            yield from self._invoke(shard, batch)

    def _batches(self, records: Sequence[Arrived]) -> Iterator[list[Arrived]]:
        batch: list[Arrived] = []
        size = 0
        for record in records:
            if batch and (size + len(record.data) > self._most or len(batch) == _MOST_RECORDS):
                yield batch
                batch = []
                size = 0
            batch.append(record)
            size += len(record.data)
        if batch:
            yield batch

    def _invoke(self, shard: str, batch: Sequence[Arrived]) -> Iterator[Transformed]:
        try:
            answer = self._answer(self._event(shard, batch))
            by_id = _results(answer)
        except ProcessingFailed as failed:
            yield from (Transformed(record, failure=failed) for record in batch)
            return
        for number, record in enumerate(batch):
            yield _transformed(record, by_id.get(str(number)))

    def _answer(self, event: Document) -> Json:
        """The function's response. Raises ProcessingFailed after the last attempt."""
        failure = ProcessingFailed("Lambda.FunctionError", "")
        for _ in range(self._attempts):
            try:
                self._authorize(self._assume(self._role), "lambda:InvokeFunction", self.arn)
                return self._functions.invoke(self.arn, event)
            except AwsError as error:
                failure = ProcessingFailed("Lambda.InvokeAccessDenied", error.message)
            except FunctionFailed as failed:
                failure = ProcessingFailed(f"Lambda.{failed.code}", failed.message)
        raise failure

    def _event(self, shard: str, batch: Sequence[Arrived]) -> Document:
        event: Document = {
            "invocationId": str(uuid.uuid4()),
            "deliveryStreamArn": self._stream.arn,
            "region": REGION,
            "records": [self._input(str(number), shard, record) for number, record in enumerate(batch)],
        }
        return {**event, "sourceKinesisStreamArn": self._stream.source} if self._stream.source else event

    def _input(self, identifier: str, shard: str, record: Arrived) -> Document:
        described: Document = {
            "recordId": identifier,
            "approximateArrivalTimestamp": record.arrived,
            "data": base64.b64encode(record.data).decode(),
        }
        if self._stream.source:
            described["kinesisRecordMetadata"] = {
                "shardId": shard,
                "sequenceNumber": str(record.position),
                "approximateArrivalTimestamp": record.arrived,
            }
        return described


def options_of(processors: Sequence[Structure]) -> dict[str, str] | None:
    """The parameters of the Lambda processor; None without one."""
    for processor in processors:
        if processor["Type"] == "Lambda":
            parameters = processor.get("Parameters") or []
            return {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in parameters}
    return None


def _results(answer: Json) -> dict[str, Structure]:
    try:
        return {str(result["recordId"]): result for result in answer["records"]}
    except (TypeError, KeyError) as error:
        message = "The function must return a structure with `records`, each with a recordId, a result and its data."
        raise ProcessingFailed("Lambda.InvalidResponseFormat", message) from error


def _transformed(record: Arrived, result: Structure | None) -> Transformed:
    if result is None:
        return _failed(record, "Lambda.MissingRecordId", "The function returned no record with this recordId.")
    outcome = result.get("result")
    if outcome not in _RESULTS:
        return _failed(record, "Lambda.InvalidResultStatus", f"result is {outcome!r}, not one of {_RESULTS}.")
    if outcome == "Dropped":
        return Transformed(record)
    if outcome == "ProcessingFailed":
        return _failed(record, "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record")
    try:
        data = base64.b64decode(result["data"], validate=True)
    except (KeyError, TypeError, ValueError):
        return _failed(record, "Lambda.InvalidDataEncoding", "The data of the record is not base64.")
    keys = (result.get("metadata") or {}).get("partitionKeys") or {}
    return Transformed(record, data, {str(name): str(value) for name, value in keys.items()})


def _failed(record: Arrived, code: str, message: str) -> Transformed:
    return Transformed(record, failure=ProcessingFailed(code, message))
