"""Decoding a call's parameters and encoding its answer, in each of the protocols."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import StructureShape
from botocore.utils import parse_timestamp

# Here, on the main thread: the emulator is imported on another one, and a request that imported the same packages at
# that moment would meet them half made.
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers, MultiDict

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure
from localaws.wire import cborshape, eventstream, jsonshape
from localaws.wire.models import operation
from localaws.wire.request import Chunks, FilePart, HttpAnswer, HttpRequest
from localaws.wire.routing import Route


def decode(route: Route, request: HttpRequest) -> Document:
    """The call's parameters in the shape of botocore's model; a streamed payload is left out.

    Raises AwsError: UnknownOperationException or InvalidAction, SerializationException or MalformedXML.
    """
    described = operation(route.service, route.action)
    if described is None:
        raise unknown_action(route)
    if route.protocol == "json":
        return jsonshape.decode(described.input_shape, request.body)
    if route.protocol == "cbor":
        return cborshape.decode(described.input_shape, request.body)
    return _parsed(route, request)


def unknown_action(route: Route) -> AwsError:
    """The error for an action that the service does not have."""
    if route.protocol in ("query", "ec2"):
        return AwsError("InvalidAction", f"The action {route.action} is not valid for this web service.")
    if route.service == "s3":
        return AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", status=405)
    status = 404 if route.protocol.startswith("rest") else 400
    return AwsError("UnknownOperationException", f"{route.service} has no action {route.action}".strip(), status=status)


@cache
def _moto_operation(service: str, action: str) -> Any:
    described = operation(service, action)
    return get_service_model(described.service_model.service_name).operation_model(action) if described else None


def _parsed(route: Route, request: HttpRequest) -> Document:
    described = _moto_operation(route.service, route.action)
    values = request.fields + (request.form if request.is_form and not route.protocol.startswith("rest") else [])
    raw: Any = {
        "body": b"" if streams_in(route) else request.body,
        "headers": Headers(list(request.headers.items())),
        "method": request.method,
        "url_params": route.labels,
        "url_path": request.path,
        "values": MultiDict(values),
    }
    try:
        parsed: Document = PROTOCOL_PARSERS[route.protocol](described, timestamp_parser=_aware).parse(raw)
    except (RequestParserError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        code = "MalformedXML" if route.protocol == "rest-xml" else "SerializationException"
        if route.protocol in ("query", "ec2"):
            code = "MalformedQueryString"
        reason = str(error).partition("\n")[0].partition(", invalid XML")[0][:300]
        raise AwsError(code, f"The request cannot be read: {reason}") from error
    return parsed


@cache
def _payload(service: str, action: str) -> bool:
    described = operation(service, action)
    shape = described.input_shape if described else None
    name = shape.serialization.get("payload") if shape is not None else None
    return isinstance(shape, StructureShape) and bool(name) and shape.members[str(name)].type_name == "blob"


def streams_in(route: Route) -> bool:
    """Whether the body of a call is its payload as it stands, not parameters."""
    return route.protocol == "rest-xml" and _payload(route.service, route.action)


def encode(route: Route, result: Structure, request_id: str) -> HttpAnswer:
    """The answer of a call."""
    described = operation(route.service, route.action)
    if described is None:
        raise unknown_action(route)
    if member := eventstream.member_of(described):
        parts = eventstream.messages(described, result[member], route.protocol)
        return HttpAnswer(200, {"Content-Type": eventstream.CONTENT_TYPE}, Chunks(parts))
    if route.protocol == "json":
        version = described.service_model.metadata.get("jsonVersion", "1.1")
        headers = {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request_id}
        return HttpAnswer(200, headers, jsonshape.encode(described.output_shape, result))
    if route.protocol == "cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": request_id}
        return HttpAnswer(200, headers, cborshape.encode(described.output_shape, result))
    return _serialized(route, result, request_id)


def _serialized(route: Route, result: Structure, request_id: str) -> HttpAnswer:
    described = _moto_operation(route.service, route.action)
    make = get_serializer_class(described.service_model.service_name, route.protocol)
    status = int(result.get("_status", 0)) or described.http.get("responseCode", 200)
    body = result.get("Body")
    plain = {name: value for name, value in result.items() if name != "Body" and value is not None}
    serialized = make(described, context=SerializationContext(request_id=request_id)).serialize(plain)
    headers = {str(name): str(value) for name, value in serialized["headers"].items()}
    if isinstance(body, (bytes, FilePart)):
        return HttpAnswer(status, headers, body)
    text = serialized["body"] or b""
    return HttpAnswer(status, headers, text.encode() if isinstance(text, str) else text)


def _aware(text: str) -> datetime:
    parsed = parse_timestamp(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
