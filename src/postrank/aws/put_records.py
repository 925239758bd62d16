"""PutRecords without botocore's general serialiser: the request's body is joined from its parts.

botocore walks, copies and escapes every record as if its text could hold anything; base64 needs none of that. Only the
body is made here, in botocore's own events: credentials, signing, endpoints, retries and errors stay botocore's.
"""

from binascii import b2a_base64
from typing import TYPE_CHECKING, Any

import orjson

from postrank.documents import Document

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_RECORDS = "Records"
_BODY = "put_records_body"
_PLACEHOLDER = [{"Data": b"", "PartitionKey": "-"}]


def encode_records(params: Document) -> bytes:
    """The JSON of a PutRecords request whose records have `Data` (bytes) and `PartitionKey`."""
    head = orjson.dumps({name: value for name, value in params.items() if name != _RECORDS})[:-1]
    records = b",".join(
        b'{"Data":"%b","PartitionKey":%b}'
        % (b2a_base64(record["Data"], newline=False), orjson.dumps(record["PartitionKey"]))
        for record in params[_RECORDS]
    )
    return b'%b,"Records":[%b]}' % (head, records)


def quicken(client: "KinesisClient") -> "KinesisClient":
    """Let a boto3 Kinesis client make its PutRecords bodies by `encode_records`; returns the client."""
    events: Any = client.meta.events  # botocore replaces the parameters by what a handler returns; its stub has None
    events.register("provide-client-params.kinesis.PutRecords", _take_records)
    events.register("before-call.kinesis.PutRecords", _set_body)
    return client


def _take_records(params: Document, context: Document, **_: Any) -> Document:
    context[_BODY] = encode_records(params)
    return {**params, _RECORDS: _PLACEHOLDER}


def _set_body(params: Document, context: Document, **_: Any) -> None:
    params["body"] = context.pop(_BODY)
