"""The WSGI application: reads a request, finds who calls what, has it answered, writes the answer."""

import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import orjson

from localaws.gateway.platform import Platform
from localaws.gateway.principals import session_of
from localaws.s3.service import ObjectVerbs, Request, action_of
from localaws.s3.xml import element, text_of
from localaws.service import AwsError, Caller
from localaws.wire import codec, emulated
from localaws.wire.routing import Route, credential_of, route

log = logging.getLogger(__name__)
Answer = tuple[int, dict[str, str], bytes]
_OWN = "/_localaws/"


class Gateway:
    """One endpoint for every service."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._objects = ObjectVerbs(platform.store)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request_id = str(uuid.uuid4())
        method, path = environ["REQUEST_METHOD"], _path(environ)
        headers, query = _headers(environ), environ.get("QUERY_STRING", "")
        body = environ["wsgi.input"].read()
        if path.startswith(_OWN):
            status, sent, body = self._own(path)
        else:
            status, sent, body = self._answer(method, path, query, headers, body, request_id)
        sent = {"x-amzn-RequestId": request_id, "x-amz-request-id": request_id, **sent}
        if not any(name.lower() == "content-length" for name in sent):
            sent["Content-Length"] = str(len(body))
        start_response(f"{status} {_reason(status)}", list(sent.items()))
        return [] if method == "HEAD" else [body]

    def _own(self, path: str) -> Answer:
        """The endpoints that are no AWS: health, and the container credentials of a role."""
        what, _, rest = path.removeprefix(_OWN).partition("/")
        if what == "health":
            return _json(200, {"status": "ok", "services": sorted(self._platform.services)})
        if what == "credentials" and rest:
            made = self._platform.principals.grant(session_of(rest, "localaws"))
            return _json(
                200,
                {
                    "RoleArn": rest,
                    "AccessKeyId": made.access_key,
                    "SecretAccessKey": made.secret_key,
                    "Token": made.token,
                    "Expiration": made.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                },
            )
        return _json(404, {"message": f"{path} is not here"})

    def _answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes, request_id: str
    ) -> Answer:
        found = route(headers, query, body)
        caller = self._platform.principals.caller_of(credential_of(headers, query).split("/")[0])
        try:
            if found.service == "s3":
                return self._s3(method, path, query, headers, body, caller)
            if owner := self._platform.owner(found.service, found.action):
                params = codec.decode(found, headers, body)
                self._platform.admit(found.service, found.action, params, caller)
                return codec.encode(found, headers, owner.handle(found.action, params, caller), request_id)
            return self._emulate(found, method, path, query, headers, body, caller)
        except AwsError as error:
            return self._refuse(found, path, headers, error, request_id)
        except Exception:
            log.exception("%s.%s failed", found.service, found.action)
            failure = AwsError("InternalFailure", "The local AWS failed on this request; its log says why.", status=500)
            return self._refuse(found, path, headers, failure, request_id)

    def _refuse(self, found: Route, path: str, headers: dict[str, str], error: AwsError, request_id: str) -> Answer:
        if found.service != "s3":
            return codec.encode_error(found, headers, error, request_id)
        children = [text_of("Code", error.code), text_of("Message", error.message), text_of("Resource", path)]
        children += [text_of(name, str(text)) for name, text in error.fields.items()]
        children.append(text_of("RequestId", request_id))
        return error.status, {"Content-Type": "application/xml"}, element("Error", children).encode()

    def _s3(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes, caller: Caller) -> Answer:
        bucket, _, key = path.lstrip("/").partition("/")
        fields = dict(parse_qsl(query, keep_blank_values=True))
        request = Request(method=method, bucket=bucket, key=key, query=fields, headers=headers, body=body)
        action = action_of(request)
        if action:
            self._platform.authorize(caller, f"s3:{action}", f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else ""))
            return self._objects.handle(action, request)
        return self._bucket(request, path, query, caller)

    def _bucket(self, request: Request, path: str, query: str, caller: Caller) -> Answer:
        """A bucket's life and configuration: the emulator's, but a bucket of ours must exist, or be empty to go."""
        verb = {"PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket"}.get(
            request.method, "ListBuckets"
        )
        plain = bool(request.bucket) and not request.query
        self._platform.authorize(caller, f"s3:{verb}", f"arn:aws:s3:::{request.bucket or '*'}")
        if plain and request.method == "DELETE":
            self._platform.store.delete_bucket(request.bucket)
        answer = self._platform.emulator.handle(request.method, path, query, request.headers, request.body)
        if plain and request.method == "PUT" and answer[0] == 200:
            self._platform.store.create_bucket(request.bucket)
        return answer

    def _emulate(
        self, found: Route, method: str, path: str, query: str, headers: dict[str, str], body: bytes, caller: Caller
    ) -> Answer:
        known = bool(found.action)
        hooked = known and self._platform.hooked(found.service, found.action)
        params = codec.decode(found, headers, body) if known else {}
        self._platform.admit(found.service, found.action or f"{method} {path}", params, caller)
        answer = self._platform.emulator.handle(method, path, query, headers, body)
        if hooked and answer[0] < 300:
            result = emulated.read(found.service, found.action, answer)
            self._platform.answered(found.service, found.action, params, result, caller)
        return answer


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): text
        for name, text in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _path(environ: dict[str, Any]) -> str:
    return str(environ.get("PATH_INFO", "/")).encode("latin-1").decode("utf-8", errors="replace")


def _json(status: int, document: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/json"}, orjson.dumps(document)


def _reason(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
