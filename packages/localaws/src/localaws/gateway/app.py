"""The WSGI application: reads a request, finds who calls what, has it answered, writes the answer."""

import errno
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import orjson

from localaws.core.cloud import AwsError, Caller
from localaws.emulator import client, polling
from localaws.gateway.internal_endpoints import OWN, OwnEndpoints
from localaws.gateway.platform import Platform
from localaws.iam.context import of_request
from localaws.services.s3.chunked import Body
from localaws.wire import codec
from localaws.wire.errors import encode_error
from localaws.wire.models import model, operation
from localaws.wire.request import FilePart, HttpAnswer, HttpRequest, from_environ
from localaws.wire.routing import Route, route

log = logging.getLogger(__name__)
_BODILESS = (204, 304)
# What no XML may hold ("Extensible Markup Language 1.0", 2.2), and a message that repeats a parameter might.
_NOT_IN_XML = bytes(one for one in range(32) if one not in b"\t\n\r")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOWHERE = Route("", "", "json")


class Gateway:
    """One endpoint for every service."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._own = OwnEndpoints(platform)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request_id = str(uuid.uuid4())
        request = from_environ(environ)
        answer = self._own.answer(request) if request.path.startswith(OWN) else self._answer(request, request_id)
        if answer.status >= 300 and isinstance(answer.body, bytes) and answer.body.startswith(b"<"):
            answer.body = answer.body.translate(None, _NOT_IN_XML)
        headers = _single(answer.headers) | {"x-amzn-RequestId": request_id, "x-amz-request-id": request_id}
        if answer.status in _BODILESS:
            answer.body = b""
        if request.method != "HEAD" or "Content-Length" not in headers:
            size = answer.body.size if isinstance(answer.body, FilePart) else len(answer.body)
            headers["Content-Length"] = str(size)
        start_response(f"{answer.status} {_reason(answer.status)}", list(headers.items()))
        if request.method == "HEAD" or answer.status in _BODILESS:
            return []
        return _sent(answer.body, environ)

    def _answer(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        found = _NOWHERE
        try:
            found = route(request)
            caller, known = self._platform.principals.caller_of(request, found)
            return self._served(found, request, caller, known, request_id)
        except AwsError as error:
            return encode_error(found, request.decoded_path, error, request_id)
        except Exception as error:
            log.exception("%s.%s failed", found.service, found.action)
            return encode_error(found, request.decoded_path, _failure(error), request_id)

    def _served(self, found: Route, request: HttpRequest, caller: Caller, known: bool, request_id: str) -> HttpAnswer:
        owner = self._platform.owner(found.service, found.action)
        params = self._params(found, request)
        guard, action = self._platform.guard, found.action or f"{request.method} {request.path}"
        lines = guard.admit(
            found.service, action, params, caller, known=known, said=of_request(request), request_id=request_id
        )
        status = 500
        try:
            if owner is None:
                answer = self._emulated(found, request, params, caller, request_id)
            else:
                result = owner.handle(found.action, params, caller)
                self._platform.answered(found.service, found.action, params, result, caller)
                answer = codec.encode(found, result, request_id)
            status = answer.status
        except AwsError as error:
            status = error.status
            raise
        finally:
            guard.record(lines, status)
        return answer

    def _params(self, found: Route, request: HttpRequest) -> dict[str, Any]:
        if operation(found.service, found.action) is None:
            if model(found.service) is not None:
                raise codec.unknown_action(found)
            return {}  # a service that botocore signs under another name: the emulator may know it
        params = codec.decode(found, request)
        _require(found, params)
        if codec.streams_in(found):
            request.stream.seek(0)
            params["Body"] = Body(request.stream, request.headers)
        return params

    def _emulated(
        self, found: Route, request: HttpRequest, params: dict[str, Any], caller: Caller, request_id: str
    ) -> HttpAnswer:
        platform = self._platform
        platform.before(found.service, found.action, params)
        if found.protocol == "cbor":  # which the emulator does not speak
            result = client.call(platform.emulator, found.service, found.action, params)
            platform.answered(found.service, found.action, params, result, caller)
            return codec.encode(found, result, request_id)
        if (found.service, found.action) == ("sqs", "ReceiveMessage"):
            return polling.receive(platform.emulator, request, params)
        answer = platform.emulator.handle(request, found.service, found.action)
        if answer.status >= 300 and found.protocol in ("query", "ec2") and answer.content().startswith(b"{"):
            raise _told_in_json(answer)
        described = operation(found.service, found.action)
        if described and platform.hooked(found.service, found.action) and answer.status < 300:
            result = client.read(described, answer, found.protocol)
            platform.answered(found.service, found.action, params, result, caller)
        return answer


def _told_in_json(answer: HttpAnswer) -> AwsError:
    """An error of the emulator that is not in the form of its protocol."""
    said = orjson.loads(answer.content())
    return AwsError(str(said.get("__type", "InternalFailure")), str(said.get("message", "")), status=answer.status)


def _failure(error: Exception) -> AwsError:
    """What the caller is told of a failure of ours. A full disk passes: SDKs try again."""
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or (isinstance(error, sqlite3.Error) and "disk" in str(error)):
        return AwsError("ServiceUnavailable", f"The local AWS cannot write to its state: {error}", status=503)
    return AwsError("InternalFailure", "The local AWS failed on this request; its log says why.", status=500)


def _require(found: Route, params: dict[str, Any]) -> None:
    """Refuse a call without a parameter that its model requires: services trust that SDKs have looked.

    Raises AwsError ValidationException, or MissingParameter in the query protocols.
    """
    described = operation(found.service, found.action)
    shape = described.input_shape if described else None
    missing = [name for name in (shape.required_members if shape else []) if params.get(name) is None]
    if missing and found.service != "s3":
        if found.protocol in ("query", "ec2"):
            raise AwsError("MissingParameter", f"The request must contain the parameter {missing[0]}")
        said = (
            f"1 validation error detected: Value null at '{missing[0]}' failed to satisfy constraint: must not be null"
        )
        raise AwsError("ValidationException", said)


def _single(headers: dict[str, str]) -> dict[str, str]:
    """Headers without those that the server or this gateway writes itself."""
    own = (
        "content-length",
        "connection",
        "date",
        "server",
        "transfer-encoding",
        "x-amzn-requestid",
        "x-amz-request-id",
    )
    kept = {name: text for name, text in headers.items() if name.lower() not in own}
    length = next((text for name, text in headers.items() if name.lower() == "content-length"), None)
    return kept if length is None else {**kept, "Content-Length": length}


def _sent(body: bytes | FilePart, environ: dict[str, Any]) -> Iterable[bytes]:
    if isinstance(body, bytes):
        return [body]
    file = body.path.open("rb")
    file.seek(body.start)
    sent: Iterable[bytes] = environ["wsgi.file_wrapper"](file, 1 << 18)
    return sent


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
