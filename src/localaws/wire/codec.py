"""Decoding a call's parameters and encoding its answer, by botocore's model of the service."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers, MultiDict

from localaws.service import AwsError
from localaws.wire.routing import MODEL_NAMES, Route

Answer = tuple[int, dict[str, str], bytes]


@cache
def _model(service: str) -> Any:
    return get_service_model(MODEL_NAMES.get(service, service))


@cache
def _operation(service: str, action: str) -> Any:
    return _model(service).operation_model(action)


def _protocol(service: str, headers: Mapping[str, str]) -> str:
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return "ec2" if service == "ec2" else "query"
    return "json"


def decode(route: Route, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The call's parameters in the shape of botocore's model. Raises AwsError SerializationException."""
    protocol = _protocol(route.service, headers)
    form = parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True) if protocol != "json" else []
    request: Any = {
        "body": body or b"{}",
        "headers": Headers(list(headers.items())),
        "method": "POST",
        "url_params": {},
        "url_path": "/",
        "values": MultiDict(form),
    }
    try:
        parsed: dict[str, Any] = PROTOCOL_PARSERS[protocol](_operation(route.service, route.action)).parse(request)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AwsError("SerializationException", f"the request cannot be read: {error}") from error
    return parsed


def encode(route: Route, headers: Mapping[str, str], result: Mapping[str, Any], request_id: str) -> Answer:
    """The answer of a call."""
    return _encode(route, headers, dict(result), request_id)


def encode_error(route: Route, headers: Mapping[str, str], error: AwsError, request_id: str) -> Answer:
    """The answer that an SDK turns into its ClientError."""
    if _protocol(route.service, headers) == "json":
        return _json_error(error, request_id)
    return _xml_error(route.service, error, request_id)


def _encode(route: Route, headers: Mapping[str, str], result: Any, request_id: str) -> Answer:
    protocol = _protocol(route.service, headers)
    serializer = get_serializer_class(MODEL_NAMES.get(route.service, route.service), protocol)
    context = SerializationContext(request_id=request_id)
    made = serializer(_operation(route.service, route.action), context=context).serialize(result)
    body = made["body"]
    sent = {str(name): str(value) for name, value in made["headers"].items()}
    return int(made["status_code"]), sent, body.encode() if isinstance(body, str) else body


def _json_error(error: AwsError, request_id: str) -> Answer:
    import orjson

    body = orjson.dumps({"__type": error.code, "message": error.message, "Message": error.message, **error.fields})
    sent = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": error.code,
    }
    return error.status, sent, body


def _xml_error(service: str, error: AwsError, request_id: str) -> Answer:
    from xml.sax.saxutils import escape

    code, message = escape(error.code), escape(error.message)
    if service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return error.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode()
