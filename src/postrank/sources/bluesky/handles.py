"""Which handle a DID has: a bounded memory, filled by identity events and by asking the DID's directory.

Looking up never holds the stream: an unknown DID is put on a short list, one thread asks at a polite rate, and the
author's later posts carry the handle: the first `at://` name of the DID document's `alsoKnownAs` (atproto.com, "DID").
Only did:plc is asked for, of the PLC directory: a did:web would have us call whatever host a stranger names, so those
few accounts get their handles from identity events alone.
"""

import logging
import math
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import orjson

from postrank.outbound.connections import http_client

log = logging.getLogger(__name__)
_WAITING = 1000  # DIDs on the list; more are asked when they post again
_HANDLE_SCHEME = "at://"
_AWAY = 30.0
_LONGEST = 900.0  # seconds without a question to a directory that is troubled or has had enough


@dataclass(slots=True)
class Handles:
    """Handles by DID, the `capacity` most lately used ones. `directory` "" asks nobody."""

    directory: str
    capacity: int = 200_000
    per_second: float = 5.0
    lookups: int = 0
    failures: int = 0
    _cache: "OrderedDict[str, str | None]" = field(default_factory=OrderedDict)
    _waiting: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def of(self, did: str) -> str | None:
        """The handle, if it is known yet."""
        with self._changed:
            if did in self._cache:
                self._cache.move_to_end(did)
                return self._cache[did]
            if self.directory and did.startswith("did:plc:") and len(self._waiting) < _WAITING:
                self._waiting[did] = None
                self._changed.notify()
        return None

    def learn(self, did: str, handle: str | None) -> None:
        """Note a handle (None: the DID has none), and forget the one that was used longest ago when full."""
        with self._changed:
            self._cache[did] = handle
            self._cache.move_to_end(did)
            if len(self._cache) > self.capacity:
                self._cache.popitem(last=False)

    def start(self) -> None:
        """Begin to ask, in a thread of its own."""
        if self.directory and self._thread is None:
            self._thread = threading.Thread(
                target=self._run,
                args=(http_client(timeout=10.0, follow_redirects=True),),
                name="handles",
                daemon=True,
            )
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        with self._changed:
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._cache)

    def _run(self, connections: httpx.Client) -> None:
        with connections as client:
            while not self._stopped.is_set():
                with self._changed:
                    self._changed.wait_for(lambda: self._waiting or self._stopped.is_set())
                    if self._stopped.is_set():
                        return
                    did, _ = self._waiting.popitem(last=False)
                wait = max(self._ask(client, did), 1.0 / self.per_second)
                self._stopped.wait(wait * random.uniform(1.0, 1.25))  # noqa: S311 no secret

    def _ask(self, client: httpx.Client, did: str) -> float:
        """Ask for one DID; the seconds for which the directory wants no more questions."""
        self.lookups += 1
        try:
            answer = client.get(f"{self.directory.rstrip('/')}/{quote(did, safe=':')}")
            if answer.status_code in (404, 410):
                self.learn(did, None)
                return 0.0
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
                self.failures += 1
                return _requested_pause(answer.headers)
            answer.raise_for_status()
            names = list(orjson.loads(answer.content).get("alsoKnownAs") or [])
        except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError, AttributeError, TypeError) as error:
            self.failures += 1
            log.debug("handle not found", extra={"fields": {"did": did, "why": str(error)}})
            return 0.0
        handles = [name for name in names if isinstance(name, str) and name.startswith(_HANDLE_SCHEME)]
        self.learn(did, handles[0].removeprefix(_HANDLE_SCHEME) if handles else None)
        return 0.0


def _requested_pause(headers: Mapping[str, str]) -> float:
    """Seconds to wait for, as the answer has it (RFC 9110, "Retry-After"; `ratelimit-reset` is an epoch), else 30."""
    try:
        seconds = float(headers.get("retry-after") or float(headers["ratelimit-reset"]) - time.time())
    except (KeyError, ValueError):
        return _AWAY
    return min(max(seconds, 1.0), _LONGEST) if math.isfinite(seconds) else _AWAY
