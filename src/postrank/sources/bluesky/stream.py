"""The Bluesky source: one websocket to one of several hosts, resumed from a cursor wherever it breaks."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import orjson
import zstandard
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from postrank.errors import Fatal, Retryable
from postrank.options import Options, is_url
from postrank.outbound import proxy_for, tls_context
from postrank.posts import Malformed, Post
from postrank.posts.formats.networks.bluesky_records import COLLECTIONS, POSTS
from postrank.posts.repairs import Repairs
from postrank.posts.times import parse_rfc3339
from postrank.sources import Batch, Cursor, Gap, Surroundings
from postrank.sources.bluesky.archive.requests import Pager, Pages
from postrank.sources.bluesky.followed import Followed
from postrank.sources.bluesky.handles import Handles
from postrank.sources.bluesky.wire import V1, V2, Frame, Position, Wire, to_time
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import Backoff, pause
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import Recovery

log = logging.getLogger(__name__)
HOSTS = [f"jetstream{number}.us-{coast}.bsky.network" for coast in ("east", "west") for number in (1, 2)]
HOSTS_V2 = [f"jetstream.us-{coast}.bsky.network" for coast in ("east", "west")]
DIRECTORY = "https://plc.directory"
REPLAY = "https://jetstream.us-east.bsky.network"
_FRAME_LIMIT = 8 << 20  # bytes of a frame that are looked at, also once decompressed
_RECEIVED = 64 << 20  # bytes of a frame that are received: a connection that ends for it would come upon it again
_DICTIONARY = b"\x37\xa4\x30\xec"  # how one begins (RFC 8878, "Dictionary Format")
_BATCH_SECONDS = 0.25
_BATCH_FRAMES = 1000
_SETTLING = timedelta(minutes=1)  # a repository's server may be somewhat behind


class Refused(Fatal):
    """The server finds the subscription wrong."""

    def __init__(self, host: str, status: int, body: str) -> None:
        super().__init__(f"{host} refuses the subscription with {status}: {body}")
        self.host = host
        self.status = status


class NotServed(Retryable):
    """No host takes the subscription."""


class _Lost(Exception):
    """The connection ended; the text says how."""


@dataclass(slots=True, kw_only=True)
class Jetstream:
    """Posts, edits and deletes of Bluesky, and reposts and likes if asked for.

    Cursor: `{"time_us": ..., "seq": ..., "host": ...}` of the newest event, and `gaps` that are still to be read.
    """

    hosts: list[str]
    wire: Wire
    handles: Handles
    dictionary: zstandard.ZstdCompressionDict | None = None
    followed: Followed = field(default_factory=Followed)
    past: Pages | None = None  # where the source's past can be read
    recovery: Recovery = field(default_factory=lambda: Recovery(None))
    start_from: datetime | None = None  # where to begin without a cursor: the time until now is a gap
    rewind_seconds: float = 5.0
    stall_seconds: float = 30.0
    clamp_seconds: float = 60.0
    keeps: bool = False  # whether the JSON of posts is wanted
    name: str = "bluesky"
    reconnects: int = 0
    _position: Position | None = None
    _host: int = 0
    _why: str = "the streamer was not running"  # why the stream was not read until now
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, surroundings: Surroundings) -> Self:
        """Every option has a default.

        `protocol` "v1" or "v2"; `collections` (only posts unless it names reposts and likes, too);
        `hosts` (names, or ws:// and wss:// URLs) in order of preference; `rewind_seconds`;
        `stall_seconds` of silence that end a connection; `clamp_seconds`: an event this much later than the cursor
        means that the server has forgotten what was between; `zstd_dictionary`: the file of the dictionary with which
        the server compresses (from Jetstream's repository for v1, from `getZstdDictionary` for v2; without it frames
        come plain); `dids` and `dids_file`: the accounts that the server is asked for (all without them);
        `gap_source` "none", "repositories" (of those accounts) or "replay" (`replay_host`, `replay_key`): where what
        the stream cannot give again is read; `trusted_hosts`: repositories' hosts that may be private;
        `start_from`: an RFC 3339 time from which on a streamer without a cursor reads; `directory` of DIDs ("none" to
        ask nobody), `handles` remembered, `lookups_per_second`.
        """
        second = options.text("protocol", "v1", among=("v1", "v2")) == "v2"
        dictionary = _dictionary(options)
        compression = dictionary.dict_id() if dictionary else 0
        resolves_handles = options.is_set("directory") != "none"
        directory = options.url("directory", DIRECTORY) if resolves_handles else options.text("directory")
        hosts = options.texts("hosts", HOSTS_V2 if second else HOSTS)
        if not hosts:
            options.wrong("hosts", "must name at least one host")
        for host in hosts:
            if "@" in host:
                options.wrong("hosts", "must hold no user and password")
            elif not is_url(host if "://" in host else f"wss://{host}", ("ws", "wss")):
                options.wrong("hosts", f"holds {host!r}, which is neither a host's name nor a ws:// or wss:// URL")
        collections = tuple(dict.fromkeys(options.texts("collections", [POSTS])))
        if not collections or not set(collections) <= set(COLLECTIONS):
            options.wrong("collections", f"must be some of {', '.join(COLLECTIONS)}")
        followed = Followed.build(options)
        dids = followed.dids()
        past = _past(options, collections, dids, directory if resolves_handles else DIRECTORY)
        if past is not None:
            past.keeps = surroundings.keeps_originals
        return cls(
            hosts=hosts,
            wire=V2(compression, collections, dids) if second else V1(bool(dictionary), collections, dids),
            dictionary=dictionary,
            followed=followed,
            past=past,
            keeps=surroundings.keeps_originals,
            recovery=Recovery(Pager(past) if past else None, settling=_SETTLING),
            start_from=_start_from(options, past),
            handles=Handles(
                directory="" if directory == "none" else directory,
                capacity=options.whole("handles", 200_000, at_least=1),
                per_second=options.number("lookups_per_second", 5.0, at_least=0.01, at_most=1000),
            ),
            rewind_seconds=options.number("rewind_seconds", 5.0, at_most=3600),
            stall_seconds=options.number("stall_seconds", 30.0, at_least=0.1),
            clamp_seconds=options.number("clamp_seconds", 60.0, at_least=0.1),
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """The stream from a little before the cursor, or from now on. Goes on to the next host whenever one fails."""
        if after:
            cursor = orjson.loads(after)
            self.recovery.resume(cursor.pop("gaps", ()))
            self._position = Position(**cursor)
        backoff = Backoff(first=0.25, longest=30.0)
        self.handles.start()
        while not self._stopped.is_set():
            try:
                socket = yield from aside(self._connect, self._stopped)
                if socket is not None:
                    yield from self._follow(socket, backoff)
            except _Lost as lost:
                log.warning("jetstream lost", extra={"fields": {"host": self._where, "why": str(lost)}})
                self._why = f"{self._where}: {lost}"
                self.reconnects += 1
                self._host += 1
                yield from pause(backoff.failed(), self._stopped)

    def stop(self) -> None:
        self._stopped.set()
        self.handles.stop()

    def ask(self) -> str:
        """Connects to each host until one takes the subscription. Raises Refused, and NotServed when none does."""
        why = []
        for _ in self.hosts:
            try:
                with self._connect():
                    return f"{self._where} takes the subscription"
            except _Lost as lost:
                why.append(f"{self._where}: {lost}")
                self._host += 1
        raise NotServed("; ".join(why))

    def urls(self) -> list[str]:
        return [_url(host) for host in self.hosts]

    def gauges(self) -> Mapping[str, float]:
        """Reconnections, and what is known of handles."""
        return {
            "bluesky_reconnects": self.reconnects,
            "bluesky_handles_known": len(self.handles),
            "bluesky_handle_lookups": self.handles.lookups,
            "bluesky_handle_failures": self.handles.failures,
        }

    @property
    def _where(self) -> str:
        return self.hosts[self._host % len(self.hosts)]

    def _connect(self) -> ClientConnection:
        """A websocket to the present host. Raises _Lost, Refused, Unusable."""
        host = self._where
        url = _url(host) + self.wire.path(self._position, host, round(self.rewind_seconds * 1e6))
        try:
            socket = connect(
                url,
                subprotocols=self.wire.subprotocols,
                max_size=_RECEIVED,
                close_timeout=1.0,
                proxy=proxy_for(url),
                ssl=tls_context() if url.startswith("wss:") else None,
            )
            if hello := self.wire.hello():
                socket.send(hello)
            return socket
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            body = (refusal.response.body or b"")[:300].decode(errors="replace")
            if status == 400 and "CursorTooOld" in body and self._position:
                self._position.seq = 0  # ask by time next, which moves to the oldest event that there is
            elif status == 400:
                raise Refused(host, status, body) from refusal
            raise _Lost(f"refused with {status}") from refusal
        except (OSError, WebSocketException) as error:  # also a connection that is cut in the middle of the handshake
            raise _Lost(f"cannot connect: {error}") from error

    def _follow(self, socket: ClientConnection, backoff: Backoff) -> Iterator[Batch]:
        """Batches of one connection, until it is lost or the source is stopped."""
        gathered = Gathering(where=f"bluesky:{self._where}", keeps=self.keeps)
        resume = _Resume(self._position, self._why)
        heard = time.monotonic()
        with socket:
            if self._position is None:  # a restart before the first event is acknowledged goes on from here
                self._position = Position(time_us=time.time_ns() // 1000)
                self._begin(gathered)
                yield gathered.take(self._cursor(self._position), heard=False)
            while not self._stopped.is_set():
                try:
                    self._gather(socket, gathered, resume)
                except _Lost:
                    if gathered.read:
                        yield self._take(gathered)
                    raise
                if gathered.read:
                    heard = time.monotonic()
                    backoff.reset()
                elif time.monotonic() - heard > self.stall_seconds:
                    raise _Lost(f"no frame for {self.stall_seconds:g} s")
                yield self._take(gathered)
                if (page := self.recovery.work()) is not None:
                    yield self._recovered(page)
                if self.followed.changed():
                    self.wire.dids = self.followed.dids()
                    self._why = "the accounts that are followed changed"
                    log.info("accounts read again", extra={"fields": {"accounts": len(self.wire.dids)}})
                    return

    def _begin(self, gathered: Gathering) -> None:
        """Without a cursor, the time from `start_from` on is a gap."""
        now = datetime.now(UTC)
        if self.start_from is not None and self.start_from < now:
            gap = Gap(since=self.start_from, until=now, reason="start_from")
            gathered.gaps.append(gap)
            self.recovery.enqueue(gap)

    def _recovered(self, page: Batch) -> Batch:
        """A page of the past, with the cursor of which the gap, or a part of it, has gone."""
        for event in page.events:
            if isinstance(event, Post):
                event.author_handle = self.handles.of(event.author_id)
        if self._position is not None:
            page.cursor = self._cursor(self._position)
        return page

    def _gather(self, socket: ClientConnection, gathered: Gathering, resume: "_Resume") -> None:
        """Take in what comes within a quarter of a second. Raises _Lost."""
        due = time.monotonic() + _BATCH_SECONDS
        while gathered.read < _BATCH_FRAMES and (left := due - time.monotonic()) > 0:
            try:
                data = socket.recv(timeout=left, decode=False)
            except TimeoutError:
                return
            except ConnectionClosed as closed:
                raise _Lost(f"closed: {closed}") from closed
            frame, data = self._frame(data, gathered.repairs)
            self._note(frame, resume, gathered)
            gathered.add(frame.outcome, data)
            if frame.error:
                raise _Lost(f"ended by the server: {frame.error}")

    def _frame(self, data: bytes, repairs: Repairs) -> tuple[Frame, bytes]:
        """What a frame says, and its text."""
        if self.dictionary is not None and not data.startswith(b"{"):
            try:
                decompressor = zstandard.ZstdDecompressor(dict_data=self.dictionary)
                data = decompressor.decompress(data, max_output_size=_FRAME_LIMIT)
            except zstandard.ZstdError as error:
                return Frame(Malformed(f"a frame that zstd cannot read: {error}")), data
        if len(data) > _FRAME_LIMIT:
            return Frame(Malformed(f"frame longer than {_FRAME_LIMIT} bytes")), data
        return self.wire.parse(data, repairs), data

    def _note(self, frame: Frame, resume: "_Resume", gathered: Gathering) -> None:
        """Take over what a frame says beside its event: the position, a gap, a handle."""
        outcome = frame.outcome
        if isinstance(outcome, Post):
            outcome.author_handle = self.handles.of(outcome.author_id)
        if frame.handle:
            self.handles.learn(*frame.handle)
        if frame.time_us and self._position is not None:
            if gap := resume.first(frame.time_us, self.clamp_seconds):
                gathered.gaps.append(gap)
                if gap.recovered_by is None:
                    self.recovery.enqueue(gap)
            self._position.time_us = max(self._position.time_us, frame.time_us)
            self._position.seq = frame.seq
            self._position.host = self._where
            if hasattr(outcome, "source_cursor"):
                outcome.source_cursor = str(frame.seq or frame.time_us)

    def _take(self, gathered: Gathering) -> Batch:
        if self._position is None or not gathered.read:
            return gathered.take(None, heard=bool(gathered.read))
        return gathered.take(self._cursor(self._position))

    def _cursor(self, position: Position) -> Cursor:
        gaps = self.recovery.to_cursor()
        cursor = {"time_us": position.time_us, "seq": position.seq, "host": position.host}
        return orjson.dumps({**cursor, "gaps": gaps} if gaps else cursor).decode()


def _url(host: str) -> str:
    """The URL of a host of the configuration: some name a scheme."""
    return (host if "://" in host else f"wss://{host}").rstrip("/")


class _Resume:
    """Tells, at the first event of a connection, what became of the time since the last event of the one before."""

    def __init__(self, position: Position | None, why: str) -> None:
        self._from_us = position.time_us if position else 0
        self._why = why
        self._connected = datetime.now(UTC)

    def first(self, time_us: int, clamp_seconds: float) -> Gap | None:
        """The gap, when this is the connection's first event and there was a position before it."""
        since_us = self._from_us
        self._from_us = 0
        if not since_us:
            return None
        since = to_time(since_us)
        if time_us - since_us > clamp_seconds * 1e6:
            why = f"{self._why}; the server begins again only at a later event"
            return Gap(since=since, until=to_time(time_us), reason=why)
        until = max(self._connected, since)
        return Gap(since=since, until=until, reason=self._why, recovered_by="cursor")


def _past(options: Options, collections: tuple[str, ...], dids: tuple[str, ...], directory: str) -> Pages | None:
    """What `gap_source` names."""
    kind = options.text("gap_source", "none", among=("none", "repositories", "replay"))
    trusted = options.texts("trusted_hosts", [])
    host = options.url("replay_host", REPLAY)
    key = options.secret("replay_key") if options.optional("replay_key") else None
    if kind == "repositories":
        from postrank.sources.bluesky.archive.repositories import Repositories

        if not dids:
            options.wrong("gap_source", "reads the repositories of accounts: name them as dids or in dids_file")
        return Repositories(dids=dids, collections=collections, directory=directory, trusted=trusted)
    if kind == "replay":
        from postrank.sources.bluesky.archive.replay import NetworkReplay

        return NetworkReplay(host=host, key=key, collections=collections, dids=dids)
    return None


def _start_from(options: Options, past: Pages | None) -> datetime | None:
    if not options.optional("start_from"):
        return None
    text = options.text("start_from")
    try:
        moment = parse_rfc3339(text, "start_from")
    except Malformed as malformed:
        options.wrong("start_from", f"must be a time such as 2026-11-24T05:00:00Z: {malformed}")
        return None
    if past is None:
        options.wrong("start_from", "needs a gap_source: the stream itself does not reach back")
    return moment


def _dictionary(options: Options) -> zstandard.ZstdCompressionDict | None:
    if not options.optional("zstd_dictionary"):
        return None
    path: Path = options.path("zstd_dictionary")
    try:
        content = path.read_bytes()
        if content.startswith(_DICTIONARY):
            return zstandard.ZstdCompressionDict(content)
        why = "is no dictionary of zstd"
    except (OSError, zstandard.ZstdError) as error:
        why = f"cannot be read: {getattr(error, 'strerror', error)}"
    options.wrong("zstd_dictionary", f"names {path}, which {why}")
    return None
