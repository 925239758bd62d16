"""Calling the emulator in-process by name: botocore writes the request and reads the answer."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import get_session

from localaws.emulator.backend import Answer, Emulator
from localaws.service import AwsError, Caller
from localaws.wire.routing import MODEL_NAMES


@cache
def _model(service: str) -> Any:
    return get_session().get_service_model(MODEL_NAMES.get(service, service))


def call(emulator: Emulator, service: str, action: str, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """Make one call; raises AwsError as the emulator answered it."""
    operation = _model(service).operation_model(action)
    request = create_serializer(
        operation.service_model.resolved_protocol, include_validation=False
    ).serialize_to_request(dict(params), operation)
    headers = {name.lower(): str(text) for name, text in request["headers"].items()}
    headers["host"] = "127.0.0.1"
    headers["authorization"] = _signature(service, caller)
    body = _body(request["body"], headers)
    split = urlsplit(request["url_path"])
    query = "&".join(f"{name}={text}" for name, text in dict(request.get("query_string") or {}).items())
    return read(service, action, emulator.handle(request["method"], split.path, query or split.query, headers, body))


def read(service: str, action: str, answer: Answer) -> dict[str, Any]:
    """The decoded result of a raw answer; raises AwsError when it is an error."""
    status, headers, body = answer
    operation = _model(service).operation_model(action)
    parser = create_parser(operation.service_model.resolved_protocol)
    parsed: dict[str, Any] = parser.parse(
        {"status_code": status, "headers": {name.lower(): text for name, text in headers.items()}, "body": body},
        operation.output_shape,
    )
    if status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code", "InternalFailure"), error.get("Message", ""), status=status)
    parsed.pop("ResponseMetadata", None)
    return parsed


def _signature(service: str, caller: Caller) -> str:
    return (
        f"AWS4-HMAC-SHA256 Credential=localaws/20260101/{caller.region}/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )


def _body(body: Any, headers: dict[str, str]) -> bytes:
    if isinstance(body, dict):  # a form, of the query protocols
        from urllib.parse import urlencode

        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        return urlencode(body).encode()
    return body.encode() if isinstance(body, str) else bytes(body or b"")
