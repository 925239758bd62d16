"""Retried requests: an SDK that lost the response of a call sends the call again, and gets the response that it lost.

SDKs name each call in `amz-sdk-invocation-id`; all attempts at the call carry the same id. HTTP libraries that resend a
request on a new connection repeat the header with it. docs/adr/0013 says why responses are replayed at all.
"""

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from localaws.core.cloud import Caller
from localaws.emulator.mutations import changes
from localaws.wire import codec
from localaws.wire.request import HttpAnswer, HttpRequest
from localaws.wire.routing import Route

log = logging.getLogger(__name__)
_SECONDS = 900.0  # as long as a signature is valid: a later attempt is refused anyway
_MOST_BYTES = 16 << 20
_OVERHEAD = 512  # bytes that an entry takes besides its body
# Streams deliver at least once, and their consumers are tested against that ("Handling duplicate records", Kinesis Data
# Streams developer guide): a retried put writes its records again, as on AWS.
_AT_LEAST_ONCE = frozenset(
    {
        ("firehose", "PutRecord"),
        ("firehose", "PutRecordBatch"),
        ("kinesis", "PutRecord"),
        ("kinesis", "PutRecords"),
    }
)


@dataclass(frozen=True, slots=True)
class _Invocation:
    """What makes two requests attempts at the same call: the caller, the SDK's id and the request itself."""

    principal: str
    session: str
    id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Remembered:
    response: HttpAnswer
    expires: float
    size: int


class Retries:
    """Remembers the successful responses of calls that change something. Safe to use from any thread."""

    def __init__(
        self,
        *,
        seconds: float = _SECONDS,
        most_bytes: int = _MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._turn = threading.Lock()
        self._running: dict[_Invocation, threading.Event] = {}
        self._remembered: OrderedDict[_Invocation, _Remembered] = OrderedDict()
        self._bytes = 0

    def serve(
        self, route: Route, request: HttpRequest, caller: Caller, execute: Callable[[], HttpAnswer]
    ) -> HttpAnswer:
        """The response of a call: the one that an earlier attempt got, or that of `execute`.

        An attempt that overtakes a running one waits for it. Only successes are replayed: after an error the SDK wants
        the call executed again.
        """
        invocation = _invocation_of(route, request, caller)
        if invocation is None:
            return execute()
        response = self._begin(invocation)
        if response is not None:
            log.info("%s.%s was retried: its first response is sent again", route.service, route.action)
            return response
        try:
            response = execute()
            self._remember(invocation, response)
            return response
        finally:
            with self._turn:
                self._running.pop(invocation).set()

    def _begin(self, invocation: _Invocation) -> HttpAnswer | None:
        """The response to replay, or None once the call is this thread's to execute."""
        while True:
            with self._turn:
                self._forget_expired()
                remembered = self._remembered.get(invocation)
                if remembered is not None:
                    return _copy(remembered.response)
                running = self._running.get(invocation)
                if running is None:
                    self._running[invocation] = threading.Event()
                    return None
            running.wait()

    def _remember(self, invocation: _Invocation, response: HttpAnswer) -> None:
        if response.status >= 300 or not isinstance(response.body, bytes):
            return
        size = len(response.body) + _OVERHEAD
        with self._turn:
            self._remembered[invocation] = _Remembered(_copy(response), self._clock() + self._seconds, size)
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._forget_oldest()

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._remembered and next(iter(self._remembered.values())).expires <= now:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, oldest = self._remembered.popitem(last=False)
        self._bytes -= oldest.size


def _invocation_of(route: Route, request: HttpRequest, caller: Caller) -> _Invocation | None:
    """The invocation that a request is an attempt at; None for requests that are executed each time they come."""
    invocation_id = request.headers.get("amz-sdk-invocation-id", "")
    if not invocation_id or len(invocation_id) > 128 or not changes(route.service, route.action, request.method):
        return None
    # A streamed payload may have gigabytes, and to write an object twice leaves the same object.
    if (route.service, route.action) in _AT_LEAST_ONCE or codec.streams_in(route):
        return None
    digest = hashlib.blake2b(digest_size=16)
    for part in (request.method, request.path, request.query, request.headers.get("x-amz-target", "")):
        digest.update(part.encode() + b"\0")
    digest.update(request.body)
    return _Invocation(caller.arn, caller.session, invocation_id, digest.digest())


def _copy(response: HttpAnswer) -> HttpAnswer:
    return replace(response, headers=dict(response.headers))
