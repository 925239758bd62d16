"""Batch compliance jobs: X says which of the posts, or of the users whose posts are kept, must go.

A job is created, its ids are uploaded to an address that X names, and once it is complete the results are fetched from
another one. One job of a type runs at a time (X API, "Batch compliance"). The addresses are signed: they are used
without the token, never logged, and not kept; the job's document names them again.
"""

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from urllib.parse import urlsplit

import httpx
import orjson

from postrank.documents import Document, JsonObject
from postrank.errors import Retryable
from postrank.outbound.connections import http_client
from postrank.posts import Event, Ignored, Malformed, Notice, Tombstone
from postrank.posts.formats import x_compliance
from postrank.posts.times import to_text
from postrank.sources import Batch, Cursor
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import Backoff, Limit, pause
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.named_hosts import UnsafeHost, require_safe
from postrank.sources.x.api import Api, XRefused, XUnavailable
from postrank.sources.x.reconnecting import QUARTER
from postrank.sources.x.retried_reads import patiently

log = logging.getLogger(__name__)
NOTICE = "compliance_job"
POSTS = "tweets"
USERS = "users"
_READ = {POSTS: x_compliance.post_result, USERS: x_compliance.user_result}
_CALLS = 150  # in a quarter of an hour
_LINES = 1000  # of results in a batch
_SECONDS = 300.0  # that an upload or a download may take
_OVER = ("failed", "expired")


class JobLost(Retryable):
    """A job failed or expired; another one may not."""

    def __init__(self, job: str, status: str) -> None:
        super().__init__(f"X's compliance job {job} is {status}: the next read begins another one")


@dataclass(slots=True, kw_only=True)
class ComplianceJobs:
    """Has posts or users checked. Batches hold tombstones; a cursor is a job's id. All raise XRefused, XUnavailable."""

    api: Api
    kind: str = POSTS  # what the ids are of: POSTS or USERS
    longest_poll: float = 60.0  # seconds between looks at a job; the first ones come sooner
    limit: Limit = field(default_factory=lambda: Limit(_CALLS, QUARTER))

    def read(self, ids: Sequence[str], stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:
        """The tombstones of what X says must go; resumes a job (`after`) that was begun. Raises JobLost."""
        job = yield from self._begun(after, stopped)
        if job is None:
            return
        job_id = str(job["id"])
        yield Batch(cursor=job_id)
        if job["status"] == "created":
            yield from aside(partial(self._upload, job, ids), stopped, heard=True)
        looks = Backoff(first=min(1.0, self.longest_poll), longest=self.longest_poll)
        while job is not None and job["status"] != "complete":
            if job["status"] in _OVER:
                raise JobLost(job_id, str(job["status"]))
            yield from pause(looks.failed(), stopped, heard=True)
            if stopped.is_set():
                return
            job = yield from self._job(job_id, stopped)
        if job is not None:
            yield from self._results(job, ids, stopped)

    def _begun(self, after: Cursor | None, stopped: threading.Event) -> Generator[Batch, None, JsonObject | None]:
        """The job to go on with, or a new one."""
        if after is not None:
            job = yield from self._job(after, stopped)
            if job is None or job["status"] not in _OVER:
                return job
            log.warning("compliance job lost", extra={"fields": {"job": after, "status": job["status"]}})
        body = {"type": self.kind, "name": f"postrank-{datetime.now(UTC):%Y%m%dT%H%M%S}"}
        ask = partial(self._document, "POST", "/2/compliance/jobs", body)
        return (yield from patiently(ask, self.limit, stopped))

    def _job(self, job_id: str, stopped: threading.Event) -> Generator[Batch, None, JsonObject | None]:
        ask = partial(self._document, "GET", f"/2/compliance/jobs/{job_id}", None)
        return (yield from patiently(ask, self.limit, stopped))

    def _document(self, method: str, route: str, body: JsonObject | None) -> Document:
        document: Document = self.api.request(method, route, json=body).json()["data"]
        return document

    def _upload(self, job: JsonObject, ids: Sequence[str]) -> None:
        """Raises XRefused, XUnavailable, which name the host alone: the address is a secret."""
        body = "".join(f"{post_id}\n" for post_id in ids).encode()
        with _connections() as client:
            response = self._signed(client, "PUT", job["upload_url"], body)
            response.read()
            response.close()

    def _results(self, job: JsonObject, ids: Sequence[str], stopped: threading.Event) -> Iterator[Batch]:
        gathered = Gathering(where=f"x:compliance:{job['id']}")
        deleted = 0
        with _connections() as client:
            response = self._signed(client, "GET", job["download_url"], None)
            try:
                for line in response.iter_lines():
                    if stopped.is_set():
                        return
                    deleted += _absorb(line, gathered, _READ[self.kind])
                    if gathered.read >= _LINES:
                        yield gathered.take(None)
            except httpx.HTTPError as error:
                raise XUnavailable("the results of a compliance job", 0, type(error).__name__) from None
            finally:
                response.close()
        digest = sha256("\n".join(ids).encode()).hexdigest()
        what = "ids" if self.kind == POSTS else "ids of users"
        about = f"job {job['id']}: {len(ids)} {what} (sha256 {digest}), {deleted} deleted"
        now = to_text(datetime.now(UTC))
        gathered.notices.append(Notice(kind=NOTICE, post_id=None, author_id=None, about=about, at=now))
        log.info("compliance job done", extra={"fields": {"job": job["id"], "ids": len(ids), "deleted": deleted}})
        yield gathered.take(str(job["id"]))

    def _signed(self, client: httpx.Client, method: str, url: str, body: bytes | None) -> httpx.Response:
        """The response, to be read, of a signed address, without the token."""
        host = urlsplit(url).netloc
        what = f"{method} of a compliance job at {host}"
        try:
            require_safe(url, (urlsplit(self.api.host).netloc,))
        except UnsafeHost:
            raise XRefused(what, 0, "the host is not a public one, or not encrypted") from None
        headers = {"Content-Type": "text/plain"} if body is not None else {}
        try:
            response = client.send(client.build_request(method, url, content=body, headers=headers), stream=True)
        except httpx.HTTPError as error:
            raise XUnavailable(what, 0, type(error).__name__) from None
        if response.is_success:
            return response
        response.close()
        kind = XUnavailable if response.is_server_error or response.status_code == 429 else XRefused
        raise kind(what, response.status_code, "the address may have expired")


def _connections() -> httpx.Client:
    return http_client(timeout=_SECONDS)


def _absorb(line: str, gathered: Gathering, read: Callable[[object], Event | Ignored | Malformed]) -> int:
    """Take in a line of results; returns how many tombstones it is."""
    if not line.strip():
        return 0
    try:
        outcome = read(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        outcome = Malformed(f"a line of a compliance job that is not JSON: {error}")
    gathered.add(outcome, line.encode())
    return isinstance(outcome, Tombstone)
