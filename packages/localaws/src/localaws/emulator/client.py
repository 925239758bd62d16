"""Calling the emulator by name: botocore writes the request and reads the answer."""

from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Params, Response
from localaws.emulator.backend import Emulator
from localaws.wire.models import operation
from localaws.wire.request import HttpAnswer, HttpRequest, build_request


def call(emulator: Emulator, service: str, action: str, params: Params) -> Response:
    """Make one call; raises AwsError as the emulator answered it."""
    described = _operation(service, action)
    request = written(service, action, params)
    return read(described, emulator.handle(request, service, action), _protocol(described))


def _operation(service: str, action: str) -> OperationModel:
    described = operation(service, action)
    if described is None:
        raise AwsError("UnknownOperationException", f"{service} has no action {action}")
    return described


def _protocol(described: OperationModel) -> str:
    """A protocol of the service that the emulator speaks, too."""
    metadata = described.service_model.metadata
    spoken = [
        protocol for protocol in metadata.get("protocols", [metadata["protocol"]]) if protocol != "smithy-rpc-v2-cbor"
    ]
    return str(spoken[0])


def written(service: str, action: str, params: Params) -> HttpRequest:
    """The request that a call is."""
    described = _operation(service, action)
    made_up = create_serializer(_protocol(described), include_validation=False).serialize_to_request(
        dict(params), described
    )
    headers = {name.lower(): str(text) for name, text in made_up["headers"].items()}
    headers["host"] = "127.0.0.1"
    body: Any = made_up["body"]
    if isinstance(body, dict):  # a form, of the query protocols
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        body = urlencode(body)
    path, _, fixed = made_up["url_path"].partition("?")
    query = "&".join(part for part in (fixed, _query(made_up.get("query_string") or {})) if part)
    return build_request(
        made_up["method"], path, query, headers, body.encode() if isinstance(body, str) else bytes(body or b"")
    )


def _query(fields: Any) -> str:
    return urlencode(list(dict(fields).items()), doseq=True, quote_via=quote)


@cache
def _parser(protocol: str) -> Any:
    return create_parser(protocol)


def read(described: OperationModel, answer: HttpAnswer, protocol: str | None = None) -> Document:
    """The decoded result of a raw answer; raises AwsError when it is an error."""
    parser = _parser(protocol or _protocol(described))
    headers = {name.lower(): text for name, text in answer.headers.items()}
    raw = {"status_code": answer.status, "headers": headers, "body": answer.content()}
    parsed: Document = parser.parse(raw, described.output_shape)
    if answer.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code") or "InternalFailure", error.get("Message") or "", status=answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed
