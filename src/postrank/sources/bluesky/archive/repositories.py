"""The repositories of the authors that are followed: what each of them wrote in a span, and did not delete since.

An author's DID document names the server of the repository, which lists the records of a collection by their keys, the
newest first (`com.atproto.repo.listRecords`). Deletes and earlier versions are not there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import httpx
import orjson

from postrank.posts import Ignored, Malformed
from postrank.posts.formats.networks import bluesky_records as records
from postrank.sources import Batch
from postrank.sources.bluesky.archive.record_keys import first_key, time_of
from postrank.sources.bluesky.archive.requests import Answered, Requests
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import NotAtAll
from postrank.sources.net.named_hosts import UnsafeHost, require_safe

_PAGE = 100
_EDGE = timedelta(minutes=1)  # between the clock that made a key and that of the stream
_SERVICE = "#atproto_pds"
_PLC = "did:plc:"
_WEB = "did:web:"


@dataclass(slots=True, kw_only=True)
class Repositories:
    """Pages of repositories. A place is `[<number of the author>, <number of the collection>, <cursor>]`."""

    dids: Sequence[str]
    collections: Sequence[str]
    directory: str  # of DID documents
    trusted: Collection[str] = ()  # hosts (with ports) that may be private or unencrypted
    recovered_by: str = "repositories"
    keeps: bool = False  # whether the JSON of posts is wanted
    requests: Requests = field(init=False)
    _servers: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.requests = Requests(check=self._check)

    def page(self, since: datetime, until: datetime, place: str | None) -> tuple[Batch, str | None]:
        """Raises NotNow, NotAtAll."""
        if not self.dids:
            raise NotAtAll("repositories are read of the authors that are followed: name them as source.dids")
        author, collection, cursor = orjson.loads(place) if place else (0, 0, None)
        did = self.dids[author]
        gathered = Gathering(where=f"bluesky:{did}", keeps=self.keeps)
        next_cursor = self._listed(did, self.collections[collection], (since, until), cursor, gathered)
        batch = gathered.take(None)
        if next_cursor is not None:
            return batch, _place(author, collection, next_cursor)
        if collection + 1 < len(self.collections):
            return batch, _place(author, collection + 1, None)
        return batch, _place(author + 1, 0, None) if author + 1 < len(self.dids) else None

    def _listed(
        self, did: str, collection: str, span: tuple[datetime, datetime], cursor: str | None, gathered: Gathering
    ) -> str | None:
        """Take in a page of a collection; returns the next one's cursor while there may be more of the span."""
        since, until = span
        server = self._server(did)
        if server is None:
            gathered.add(Ignored("repository_gone"), b"")
            return None
        start = cursor or first_key(until + _EDGE)
        params: dict[str, str | int] = {"repo": did, "collection": collection, "limit": _PAGE, "cursor": start}
        try:
            page = self.requests.json(f"{server}/xrpc/com.atproto.repo.listRecords", params)
        except Answered as answered:
            if not answered.name.startswith("Repo"):  # RepoNotFound, RepoDeactivated, RepoTakendown, RepoSuspended
                raise
            gathered.add(Ignored("repository_gone"), b"")
            return None
        last = None
        for record in page.get("records") or ():
            last = self._record(did, collection, record, span, gathered)
        following = page.get("cursor")
        ended = last is not None and last < since - _EDGE
        return str(following) if following and page.get("records") and not ended else None

    def _record(
        self, did: str, collection: str, record: object, span: tuple[datetime, datetime], gathered: Gathering
    ) -> datetime | None:
        """Take in a listed record if it belongs to the span; returns when its key was made."""
        if not isinstance(record, dict):
            gathered.add(Malformed("a listed record that is no object"), b"")
            return None
        rkey = str(record.get("uri")).rsplit("/", 1)[-1]
        key_time = time_of(rkey)
        if key_time is None or not span[0] - _EDGE <= key_time < span[1] + _EDGE:
            return key_time
        body = {"collection": collection, "rkey": rkey, "operation": "create", "record": record.get("value")}
        seen_at = min(datetime.now(UTC), key_time + _EDGE)
        try:
            outcome = records.commit(did, body, seen_at, gathered.repairs, (collection,))
            gathered.add(outcome, gathered.original(record))
        except Malformed as malformed:
            gathered.add(malformed, orjson.dumps(record))
        return key_time

    def _server(self, did: str) -> str | None:
        """The URL of the server of an author's repository; None if the author is gone."""
        if did not in self._servers:
            self._servers[did] = self._resolved(did)
        return self._servers[did]

    def _resolved(self, did: str) -> str | None:
        if did.startswith(_PLC):
            url = f"{self.directory}/{quote(did, safe=':')}"
        elif did.startswith(_WEB):
            url = f"https://{unquote(did.removeprefix(_WEB))}/.well-known/did.json"
        else:
            raise NotAtAll(f"{did} is neither a did:plc nor a did:web")
        try:
            document = self.requests.json(url)
        except Answered as answered:
            if answered.status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                return None
            raise
        for service in document.get("service") or ():
            if type(service) is dict and str(service.get("id", "")).endswith(_SERVICE):
                return str(service.get("serviceEndpoint")).rstrip("/")
        return None

    def _check(self, request: httpx.Request) -> None:
        """Raises NotAtAll for a host that must not be talked to."""
        if str(request.url).startswith(f"{self.directory}/"):
            return
        try:
            require_safe(str(request.url), self.trusted)
        except UnsafeHost as unsafe:
            raise NotAtAll(f"{unsafe}; name it among source.trusted_hosts if it is yours") from unsafe


def _place(author: int, collection: int, cursor: str | None) -> str:
    return orjson.dumps([author, collection, cursor]).decode()
