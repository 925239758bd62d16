"""PutRecords without botocore's general serialiser: the request's body is joined from its parts.

botocore walks, copies and escapes every record as if its text could hold anything; base64 needs none of that. Only the
body is made here, in botocore's own events: credentials, signing, endpoints, retries and errors stay botocore's.
"""

from binascii import b2a_base64
from typing import Any

import orjson

_RECORDS, _BODY = "Records", "put_records_body"
_PLACEHOLDER = [{"Data": b"", "PartitionKey": "-"}]


def encode_records(params: dict[str, Any]) -> bytes:
    """The JSON of a PutRecords request whose records have `Data` (bytes) and `PartitionKey`."""
    head = orjson.dumps({name: value for name, value in params.items() if name != _RECORDS})[:-1]
    records = b",".join(
        b'{"Data":"%b","PartitionKey":%b}'
        % (b2a_base64(record["Data"], newline=False), orjson.dumps(record["PartitionKey"]))
        for record in params[_RECORDS]
    )
    return b'%b,"Records":[%b]}' % (head, records)


def quicken(client: Any) -> Any:
    """Let a boto3 Kinesis client make its PutRecords bodies by `encode_records`; returns the client."""
    client.meta.events.register("provide-client-params.kinesis.PutRecords", _take_records)
    client.meta.events.register("before-call.kinesis.PutRecords", _set_body)
    return client


def _take_records(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_BODY] = encode_records(params)
    return {**params, _RECORDS: _PLACEHOLDER}


def _set_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = context.pop(_BODY)
