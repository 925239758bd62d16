"""The WSGI application: reads a request, finds who calls what, has it answered, writes the answer."""

import errno
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson

from localaws.core.cloud import AwsError, Caller
from localaws.core.shapes import Document, Structure
from localaws.emulator import client, polling
from localaws.gateway.call import Call
from localaws.gateway.entrance import Entrance, Rejected, refusal
from localaws.gateway.internal_endpoints import OWN, OwnEndpoints, own_refusal
from localaws.gateway.long_responses import LONG_RESPONSES, LongResponses
from localaws.gateway.platform import Platform
from localaws.gateway.retries import Retries
from localaws.iam.context import of_request
from localaws.services.s3.chunked import Body
from localaws.wire import codec
from localaws.wire.errors import encode_error
from localaws.wire.models import model, operation
from localaws.wire.request import Chunks, FilePart, HttpAnswer, HttpRequest, from_environ
from localaws.wire.routing import Route, route

log = logging.getLogger(__name__)
_BODILESS = (204, 304)
# What no XML may hold ("Extensible Markup Language 1.0", 2.2), and a message that repeats a parameter might.
_NOT_IN_XML = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOWHERE = Route("", "", "json")


class Gateway:
    """One endpoint for every service."""

    def __init__(self, platform: Platform, names: Iterable[str] = ()) -> None:
        """`names`: host names, besides those of loopback, under which clients reach it."""
        self._platform = platform
        self._entrance = Entrance(names)
        self._own = OwnEndpoints(platform)
        self._retries = Retries()

    def __call__(self, environ: Document, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request_id = str(uuid.uuid4())
        request = from_environ(environ)
        answer = self._own_answer(request) if request.path.startswith(OWN) else self._answer(request, request_id)
        if answer.status >= 300 and isinstance(answer.body, bytes) and answer.body.startswith(b"<"):
            answer.body = answer.body.translate(None, _NOT_IN_XML)
        headers = _single(answer.headers) | {"x-amzn-RequestId": request_id, "x-amz-request-id": request_id}
        if answer.status in _BODILESS:
            answer.body = b""
        if not isinstance(answer.body, Chunks) and (request.method != "HEAD" or "Content-Length" not in headers):
            size = answer.body.size if isinstance(answer.body, FilePart) else len(answer.body)
            headers["Content-Length"] = str(size)
        start_response(f"{answer.status} {_reason(answer.status)}", list(headers.items()))
        if request.method == "HEAD" or answer.status in _BODILESS:
            return []
        return _sent(answer.body, environ)

    def _own_answer(self, request: HttpRequest) -> HttpAnswer:
        try:
            self._entrance.check_sender(request)
        except Rejected as rejected:
            _log_rejection(request, rejected)
            return own_refusal(str(rejected))
        return self._own.answer(request)

    def _answer(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        matched = _NOWHERE
        try:
            matched = route(request)
            self._entrance.check_sender(request)
            self._entrance.check_form(request, matched)
            caller = self._platform.principals.caller_of(request, matched)
            execute = partial(self._served, matched, request, caller, request_id)
            return self._retries.serve(matched, request, caller, execute)
        except Rejected as rejected:
            _log_rejection(request, rejected)
            return encode_error(matched, request.decoded_path, refusal(matched, rejected), request_id)
        except AwsError as error:
            return encode_error(matched, request.decoded_path, error, request_id)
        except Exception as error:
            log.exception("%s.%s failed", matched.service, matched.action)
            return encode_error(matched, request.decoded_path, _failure(error), request_id)

    def _served(self, matched: Route, request: HttpRequest, caller: Caller, request_id: str) -> HttpAnswer:
        params = self._params(matched, request)
        call = Call(route=matched, request=request, caller=caller, request_id=request_id, params=params)
        guard = self._platform.guard
        lines = guard.admit(
            matched.service, call.action, params, caller, request_context=of_request(request), request_id=request_id
        )
        status = 500
        try:
            answer = self._executed(call)
            status = answer.status
        except AwsError as error:
            status = error.status
            raise
        finally:
            guard.record(lines, status)
        return answer

    def _executed(self, call: Call) -> HttpAnswer:
        """Have a service of this package answer, or the emulator where none owns the action."""
        owner = self._platform.owner(call.route.service, call.route.action)
        if owner is None:
            return self._emulated(call)
        return self._encoded(call, owner.handle(call.route.action, call.params, call.caller))

    def _encoded(self, call: Call, result: Structure) -> HttpAnswer:
        self._answered(call, result)
        return codec.encode(call.route, result, call.request_id)

    def _answered(self, call: Call, result: Structure) -> None:
        self._platform.answered(call.route.service, call.route.action, call.params, result, call.caller)

    def _params(self, matched: Route, request: HttpRequest) -> Document:
        if operation(matched.service, matched.action) is None:
            if model(matched.service) is not None:
                raise codec.unknown_action(matched)
            return {}  # a service that botocore signs under another name: the emulator may know it
        params = codec.decode(matched, request)
        _require(matched, params)
        if codec.streams_in(matched):
            request.stream.seek(0)
            params["Body"] = Body(request.stream, request.headers)
        return params

    def _emulated(self, call: Call) -> HttpAnswer:
        platform = self._platform
        service = call.route.service
        action = call.route.action
        protocol = call.route.protocol
        platform.before(service, action, call.params)
        if protocol == "cbor":  # which the emulator does not speak
            return self._encoded(call, client.call(platform.emulator, service, action, call.params))
        if (service, action) == ("sqs", "ReceiveMessage"):
            return polling.receive(platform.emulator, call.request, call.params)
        answer = platform.emulator.handle(call.request, service, action)
        if answer.status >= 300 and protocol in ("query", "ec2") and answer.content().startswith(b"{"):
            raise _told_in_json(answer)
        described = operation(service, action)
        if described and platform.hooked(service, action) and answer.status < 300:
            self._answered(call, client.read(described, answer, protocol))
        return answer


def _log_rejection(request: HttpRequest, rejected: Rejected) -> None:
    log.warning("rejected %s %r: %s", request.method, request.path[:200], rejected)


def _told_in_json(answer: HttpAnswer) -> AwsError:
    """An error of the emulator that is not in the form of its protocol."""
    error = orjson.loads(answer.content())
    return AwsError(str(error.get("__type", "InternalFailure")), str(error.get("message", "")), status=answer.status)


def _failure(error: Exception) -> AwsError:
    """What the caller is told of a failure of ours. A full disk passes: SDKs try again."""
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or (isinstance(error, sqlite3.Error) and "disk" in str(error)):
        return AwsError("ServiceUnavailable", f"The local AWS cannot write to its state: {error}", status=503)
    return AwsError("InternalFailure", "The local AWS failed on this request; its log says why.", status=500)


def _require(matched: Route, params: Document) -> None:
    """Refuse a call without a parameter that its model requires: services trust that SDKs have looked.

    Raises AwsError ValidationException, or MissingParameter in the query protocols.
    """
    described = operation(matched.service, matched.action)
    shape = described.input_shape if described else None
    missing = [name for name in (shape.required_members if shape else []) if params.get(name) is None]
    if missing and matched.service != "s3":
        if matched.protocol in ("query", "ec2"):
            raise AwsError("MissingParameter", f"The request must contain the parameter {missing[0]}")
        message = (
            f"1 validation error detected: Value null at '{missing[0]}' failed to satisfy constraint: must not be null"
        )
        raise AwsError("ValidationException", message)


def _single(headers: dict[str, str]) -> dict[str, str]:
    """Headers without those that the server or this gateway writes itself, and without the emulator's leave for pages
    of any origin to read.
    """
    own = (
        "content-length",
        "connection",
        "date",
        "server",
        "transfer-encoding",
        "x-amzn-requestid",
        "x-amz-request-id",
    )
    passed_on = {
        name: text
        for name, text in headers.items()
        if name.lower() not in own and not name.lower().startswith("access-control-")
    }
    length = next((text for name, text in headers.items() if name.lower() == "content-length"), None)
    return passed_on if length is None else {**passed_on, "Content-Length": length}


def _sent(body: bytes | FilePart | Chunks, environ: Document) -> Iterable[bytes]:
    if isinstance(body, bytes):
        return [body]
    if isinstance(body, Chunks):
        long_responses: LongResponses = environ[LONG_RESPONSES]
        return long_responses.stream(body.parts)
    file = body.path.open("rb")
    file.seek(body.start)
    sent: Iterable[bytes] = environ["wsgi.file_wrapper"](file, 1 << 18)
    return sent


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
