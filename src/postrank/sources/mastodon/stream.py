"""The Mastodon source: one thread for each instance, their batches in one sequence with one cursor."""

import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import orjson

from postrank.documents import Document
from postrank.errors import Retryable
from postrank.options import Options
from postrank.sources import Batch, Cursor, Surroundings
from postrank.sources.mastodon.api import STREAMS, Api, Unavailable
from postrank.sources.mastodon.instance import Instance
from postrank.sources.mastodon.timeline import CALLS, CALLS_SECONDS, Timeline
from postrank.sources.net.backoff import TICK, Limit
from postrank.sources.net.receiving import Lost

_Position: TypeAlias = Document | None
_WAITING = 64  # batches that nobody has taken


class NotServed(Retryable):
    """An instance does not answer."""


@dataclass(slots=True, kw_only=True)
class Mastodon:
    """Posts, edits and deletes of some instances.

    Cursor: `{"<host>": {"id": <newest status>, "at": <last heard>, "gaps": [<what is still to be paged>, ...]}}`.

    The default stream is `public:local`, an instance's own posts: a federated stream shows posts of other instances
    under ids of its own, so that two of them would count such a post twice.
    """

    instances: list[Instance]
    name: str = "mastodon"
    _stopped: threading.Event = field(default_factory=threading.Event)
    _queue: "queue.Queue[tuple[Instance, Batch, _Position] | BaseException]" = field(
        default_factory=lambda: queue.Queue(_WAITING)
    )

    @classmethod
    def build(cls, options: Options, surroundings: Surroundings) -> Self:
        """`[[source.instances]]`: `url`, `token` (a user's, with read:statuses), `stream` (`public:local`, `public`,
        `public:remote` or `hashtag:<tag>`), `streaming_host` (with its port: one that the instance may name although it
        is private or not encrypted); `stall_seconds` of silence that reconnect (`:thump` comes every 15 s); `calls`:
        what an instance allows in five minutes; `metrics`: whether to keep the counts of statuses and accounts.
        """
        stopped = threading.Event()
        stall = options.number("stall_seconds", 45.0, at_least=0.1)
        calls = options.whole("calls", CALLS, at_least=1)
        observes = options.flag("metrics", False)
        instances = []
        for table in options.tables("instances"):
            url = table.url("url")
            token = table.secret("token")
            stream = table.text("stream", STREAMS[0])
            streaming_host = table.text("streaming_host", "")
            table.reject_unknown()
            if stream not in STREAMS and not (stream.startswith("hashtag:") and stream.removeprefix("hashtag:")):
                table.wrong("stream", f"must be one of {', '.join(STREAMS)} or hashtag:<tag>")
            api = Api(url, token, stream, streaming_host)
            calls_path = surroundings.state / f"{api.host.replace(':', '_')}.calls.json"
            timeline = Timeline(api=api, calls=Limit(calls, CALLS_SECONDS, calls_path), observes=observes)
            timeline.keeps = surroundings.keeps_originals
            instances.append(Instance(api=api, timeline=timeline, stall_seconds=stall, stopped=stopped))
        if not instances:
            options.wrong("instances", "must name at least one instance")
        if len({instance.api.host for instance in instances}) < len(instances):
            options.wrong("instances", "name one host twice")
        source = cls(instances=instances)
        source._stopped = stopped
        return source

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """The streams from now on, after the statuses since the cursor. Raises MastodonRefused of any instance."""
        positions: dict[str, _Position] = orjson.loads(after) if after else {}
        for reader in self.instances:
            reader.resume(positions.get(reader.api.host))
            threading.Thread(target=self._run, args=(reader,), name=f"mastodon-{reader.api.host}", daemon=True).start()
        while not self._stopped.is_set():
            try:
                offer = self._queue.get(timeout=TICK)
            except queue.Empty:
                continue
            if isinstance(offer, BaseException):
                self.stop()
                raise offer
            instance, batch, position = offer
            if position and (batch.read or batch.gaps or instance.api.host not in positions):
                positions[instance.api.host] = position
                batch.cursor = orjson.dumps(positions).decode()
            yield batch

    def stop(self) -> None:
        self._stopped.set()

    def ask(self) -> str:
        """Asks each instance for a status and opens its stream. Raises MastodonRefused, Unusable, and NotServed for one
        that does not answer.
        """
        for instance in self.instances:
            try:
                instance.api.page(min_id="0")
                instance.open().close()
            except (Lost, Unavailable) as error:
                raise NotServed(f"{instance.api.host} does not answer: {error}") from error
        return f"{len(self.instances)} instances take their tokens"

    def urls(self) -> list[str]:
        return [url for instance in self.instances for url in (instance.api.url, instance.streaming_url)]

    def gauges(self) -> Mapping[str, float]:
        """How many instances there are, how many are connected, how often they were lost."""
        return {
            "mastodon_instances": len(self.instances),
            "mastodon_connected": sum(instance.connected for instance in self.instances),
            "mastodon_reconnects": sum(instance.reconnects for instance in self.instances),
        }

    def _run(self, instance: Instance) -> None:
        try:
            for batch in instance.read():
                self._offer((instance, batch, instance.position()))
        except BaseException as error:
            self._offer(error)

    def _offer(self, offer: "tuple[Instance, Batch, _Position] | BaseException") -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(offer, timeout=TICK)
                return
            except queue.Full:
                continue
