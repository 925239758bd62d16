"""Errors in the form of each protocol, as SDKs read them."""

from xml.sax.saxutils import escape

import orjson

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure
from localaws.wire import cborshape
from localaws.wire.models import operation
from localaws.wire.request import HttpAnswer
from localaws.wire.routing import Route

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def encode_error(route: Route, resource: str, error: AwsError, request_id: str) -> HttpAnswer:
    """The answer that an SDK turns into its error; `resource` is the path of an S3 request."""
    if error.fields.get("_denied"):
        error = _refusal(route, error)
    if route.service == "s3":
        return _s3(resource, error, request_id)
    if route.protocol in ("query", "rest-xml"):
        return _query(error, request_id)
    if route.protocol == "ec2":
        return _ec2(error, request_id)
    if route.protocol == "cbor":
        return _cbor(error, request_id)
    headers = {
        "Content-Type": "application/x-amz-json-1.1" if route.protocol == "json" else "application/json",
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": error.code,
        **_query_compatible(route, error),
    }
    body = {"__type": error.code, "message": error.message, "Message": error.message, **_plain(error.fields)}
    return HttpAnswer(error.status, headers, orjson.dumps(body, default=str))


def _refusal(route: Route, error: AwsError) -> AwsError:
    """A refused call in the code that its service uses ("Common Errors" of each API reference)."""
    if route.service == "s3":
        return error
    if route.protocol == "ec2":
        message = f"You are not authorized to perform this operation. {error.message}"
        return AwsError("UnauthorizedOperation", message, status=403)
    if route.protocol == "query":
        return AwsError("AuthorizationError" if route.service == "sns" else "AccessDenied", error.message, status=403)
    return AwsError("AccessDeniedException", error.message, status=400)


def _plain(fields: Structure) -> Document:
    return {name: value for name, value in fields.items() if not name.startswith("_")}


def _query_compatible(route: Route, error: AwsError) -> dict[str, str]:
    """Services that once spoke the query protocol still name its error code ("AWS query compatibility")."""
    described = operation(route.service, route.action)
    if described is None or not described.service_model.metadata.get("awsQueryCompatible") is not None:
        return {}
    return {"x-amzn-query-error": f"{error.code};{'Sender' if error.status < 500 else 'Receiver'}"}


def _cbor(error: AwsError, request_id: str) -> HttpAnswer:
    headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": request_id}
    headers["x-amzn-query-error"] = f"{error.code};{'Sender' if error.status < 500 else 'Receiver'}"
    return HttpAnswer(error.status, headers, cborshape.error_body(error.code, error.message, _plain(error.fields)))


def _query(error: AwsError, request_id: str) -> HttpAnswer:
    kind = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"{_XML}<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{_safe(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return HttpAnswer(error.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode())


def _ec2(error: AwsError, request_id: str) -> HttpAnswer:
    body = (
        f"{_XML}<Response><Errors><Error><Code>{escape(error.code)}</Code><Message>{_safe(error.message)}</Message>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    )
    return HttpAnswer(error.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode())


def _s3(resource: str, error: AwsError, request_id: str) -> HttpAnswer:
    fields = {"Code": error.code, "Message": error.message, "Resource": resource, "RequestId": request_id}
    fields |= {name: str(value) for name, value in _plain(error.fields).items()}
    inner = "".join(f"<{name}>{_safe(value)}</{name}>" for name, value in fields.items())
    headers = {"Content-Type": "application/xml", **error.fields.get("_headers", {})}
    return HttpAnswer(error.status, headers, f"{_XML}<Error>{inner}</Error>".encode())


def _safe(text: str) -> str:
    """Text that XML 1.0 may hold: control characters have no form in it."""
    return escape("".join(character if character in "\t\n\r" or character >= " " else "\ufffd" for character in text))
