"""moto as a WSGI application in this process, one call at a time."""

import io
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Document
from localaws.emulator import clock, moto_extensions, seeded_ids, snapshot
from localaws.emulator.journal import Call, Journal
from localaws.emulator.mutations import changes, subject_of
from localaws.emulator.snapshotter import Snapshotter
from localaws.wire.request import HttpAnswer, HttpRequest, build_request, raw

log = logging.getLogger(__name__)
# Roles may attach AWS's managed policies. moto reads the account when it is imported, the other when IAM is first used.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_ACCOUNT_ID", ACCOUNT)
# What a replay needs of a request's headers; signatures and tokens stay out of the journal.
_KEPT = ("content-type", "host", "accept", "content-md5")
_SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
)

T = TypeVar("T")


class Emulator:
    """Answers raw requests. moto's backends are not safe to use from two threads, so calls take turns."""

    def __init__(self, state: Path, *, snapshots: bool = True) -> None:
        """`snapshots`: have them made as the journal grows."""
        self._state = state
        self._snapshotter = Snapshotter(state) if snapshots else None
        self._replayed = 0  # number of the last call that the backends came from
        self._turn = threading.RLock()
        self._loaded: Callable[..., Any] | None = None
        self._journal: Journal | None = Journal(state / "journal.sqlite")
        self._changed: set[str] = set()  # services that hold what a call put there

    def handle(
        self,
        request: HttpRequest,
        service: str,
        action: str,
        *,
        key: str = "localaws",
        keep: Callable[[HttpAnswer], bool] | None = None,
    ) -> HttpAnswer:
        """Answer one request; a call that changed something is in the journal when this returns. `key` is the access
        key that made it. `keep` says by the answer whether it changed anything, for calls that seldom do: those are
        written when it is known. Raises sqlite3.OperationalError, nothing changed, where nothing can be written.
        """
        headers = {**request.headers, "authorization": _signature(service, key)}
        with self._turn:
            app = self.load()
            if not changes(service, action, request.method):
                return _ask(app, request, headers)
            call = _call(request, headers, subject_of(service, action, request))
            seq = self._append(service, call) if keep is None else 0
            seeded_ids.seed(call.seed)
            try:
                with clock.at(call.time):
                    answer = _ask(app, request, headers)
            except BaseException:
                self._withdraw(seq)
                raise
            if keep is not None and keep(answer):
                self._append(service, call)
            elif answer.status >= 400:
                self._withdraw(seq)
            elif call.subject is not None and self._journal is not None:
                self._journal.supersede(call.subject, seq)
            return answer

    def _append(self, service: str, call: Call) -> int:
        if self._journal is None:
            return 0
        seq = self._journal.append(call)
        self._changed.add(service)
        self._count(1)
        return seq

    def _withdraw(self, seq: int) -> None:
        if seq and self._journal is not None:
            self._journal.withdraw(seq)

    def holds(self, service: str) -> bool:
        """Whether any call has changed a service. To ask the emulator itself would have it load what may be large."""
        with self._turn:
            self.load()
            return service in self._changed

    def within(self, use: Callable[[], T]) -> T:
        """What `use` returns, with no call changing the backends meanwhile."""
        with self._turn:
            self.load()
            return use()

    def load(self) -> Callable[..., Any]:
        """Import moto and replay the journal, if that was not done."""
        with self._turn:
            if self._loaded is None:
                clock.install()
                seeded_ids.install()
                from moto.moto_server.werkzeug_app import DomainDispatcherApplication

                self._loaded = DomainDispatcherApplication(_application)
                if self._journal is not None:
                    self._replay(self._loaded, self._journal)
            return self._loaded

    def save_snapshot(self) -> None:
        """Write what the journal gave, for later starts; nothing else may have changed the backends."""
        if self._journal is not None:
            covered = snapshot.Covered(self._replayed, frozenset(self._changed))
            snapshot.save(self._state, self._journal.id, covered)

    def close(self) -> None:
        if self._snapshotter is not None:
            self._snapshotter.close()
        with self._turn:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def _replay(self, app: Callable[..., Any], journal: Journal) -> None:
        began = time.monotonic()
        count = 0
        if (covered := snapshot.restore(self._state, journal.id)) is not None:
            self._changed |= covered.changed
            self._replayed = covered.seq
            log.info("took up the snapshot of call %d in %.1f s", covered.seq, time.monotonic() - began)
        for call in journal.calls(self._replayed):
            count += 1
            self._replayed = call.seq
            self._changed.add(_service(call.headers.get("authorization", "")))
            seeded_ids.seed(call.seed)
            with clock.at(call.time):
                answer = _again(
                    app, build_request(call.method, call.path, call.query, call.headers, call.body), call.headers
                )
            if answer.status >= 400:
                log.warning("replaying %s %s gave %d", call.method, call.path, answer.status)
        if count:
            log.info("replayed %d calls in %.1f s", count, time.monotonic() - began)
            self._count(count)

    def _count(self, calls: int) -> None:
        if self._snapshotter is not None:
            self._snapshotter.count(calls)


def _application(service: str | None) -> Any:
    """Moto's application for a service. Raises NotImplementedError for one that it does not know."""
    from moto.moto_server.werkzeug_app import create_backend_app

    if service is None:
        raise NotImplementedError("the service")
    return create_backend_app(service)  # type: ignore[arg-type]  # its parameter is a literal of every service


def _signature(service: str, key: str) -> str:
    return _SIGNATURE.format(key=key, region="us-east-1", service=service)


def _service(signature: str) -> str:
    return signature.partition("/aws4_request")[0].rpartition("/")[2]


def _call(request: HttpRequest, headers: Mapping[str, str], subject: str | None) -> Call:
    """The call that a request is, made now from a seed of its own."""
    passed_on = {
        name: text
        for name, text in headers.items()
        if name in _KEPT or name == "authorization" or (name.startswith("x-amz-") and "token" not in name)
    }
    return Call(
        time=time.time(),
        seed=secrets.randbits(62),
        method=request.method,
        path=request.path,
        query=request.query,
        headers=passed_on,
        body=request.body,
        subject=subject,
    )


def _again(app: Callable[..., Any], request: HttpRequest, headers: Mapping[str, str]) -> HttpAnswer:
    """The answer of a call in a replay, where one that fails must not keep those behind it from being made."""
    try:
        return _ask(app, request, headers)
    except Exception:
        log.exception("replaying %s %s failed", request.method, request.path)
        return HttpAnswer(500)


def _ask(app: Callable[..., Any], request: HttpRequest, headers: Mapping[str, str]) -> HttpAnswer:
    moto_extensions.fill(request)
    started: list[Any] = []

    def start_response(status: str, sent: list[tuple[str, str]], _error: object = None) -> None:
        started[:] = [int(status.split(maxsplit=1)[0]), dict(sent)]

    try:
        body = b"".join(app(_environ(request, headers), start_response))
    except NotImplementedError as error:
        raise AwsError("NotImplemented", f"The emulator does not have this: {error}", status=501) from error
    return HttpAnswer(started[0], started[1], body)


def _environ(request: HttpRequest, headers: Mapping[str, str]) -> Document:
    environ: Document = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": raw(request.path).decode("latin-1"),
        "RAW_URI": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, text in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ
