"""The server's loop over its connections: an idle connection costs nothing until something arrives on it."""

import resource
import select
import selectors
import time
from collections.abc import MutableMapping
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

_MOST_FILES = 65536
_RESERVED = 512  # descriptors for stores, objects and results
_SWEEP_SECONDS = 10.0  # how often every channel is looked at; the server closes those that were idle for too long


def most_connections() -> int:
    """The most connections that leave room for other files; raises the soft limit of open files to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    return max(limit if soft == resource.RLIM_INFINITY else soft - _RESERVED, 100)


def close_idle(server: BaseWSGIServer, now: float) -> None:
    """Close the connections that were idle for `channel_timeout` seconds; `now` is a Unix time.

    Waitress only marks them. A request that arrived before they were closed would get no response.
    """
    cutoff = now - server.adj.channel_timeout
    for channel in list(server.active_channels.values()):
        if not channel.requests and channel.last_activity < cutoff and not _has_input(channel):
            channel.handle_close()


def _has_input(channel: HTTPChannel) -> bool:
    poll = select.poll()
    poll.register(channel.socket, select.POLLIN)
    return bool(poll.poll(0))


class Connections:
    """Waits for waitress's channels. Only those that are not idle are looked at in each turn.

    `channels` is waitress's map of descriptors: it adds what it accepts, and removes what it closes.
    """

    def __init__(self, channels: MutableMapping[int, Any]) -> None:
        self._channels = channels
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, Any] = {}
        self._waiting: dict[int, int] = {}  # descriptor -> events that the selector waits for
        self._busy: set[int] = set()
        self._next_sweep = 0.0

    def turn(self, timeout: float) -> None:
        """Wait for something to happen (at most `timeout` seconds), and handle it."""
        self._look()
        for key, events in self._selector.select(timeout):
            self._busy.add(key.fd)
            channel = key.data
            if events & selectors.EVENT_READ:
                wasyncore.read(channel)
            if events & selectors.EVENT_WRITE and self._channels.get(key.fd) is channel:
                wasyncore.write(channel)

    def _look(self) -> None:
        """Ask the channels whose state may have changed what they wait for."""
        changed = self._busy | (self._channels.keys() ^ self._watched.keys())
        if time.monotonic() >= self._next_sweep:
            changed |= self._channels.keys()
            self._next_sweep = time.monotonic() + _SWEEP_SECONDS
        self._busy = set()
        for descriptor in changed:
            channel = self._channels.get(descriptor)
            if channel is not self._watched.get(descriptor):
                self._forget(descriptor)
            if channel is None:
                continue
            self._watched[descriptor] = channel
            events = (selectors.EVENT_READ if channel.readable() else 0) | (
                selectors.EVENT_WRITE if channel.writable() else 0
            )
            self._wait(descriptor, channel, events)
            if events != selectors.EVENT_READ or not hasattr(channel, "requests") or channel.requests:
                self._busy.add(descriptor)

    def _wait(self, descriptor: int, channel: Any, events: int) -> None:
        before = self._waiting.get(descriptor, 0)
        if events == before:
            return
        if events and before:
            self._selector.modify(descriptor, events, channel)
        elif events:
            self._selector.register(descriptor, events, channel)
        else:
            self._selector.unregister(descriptor)
        self._waiting[descriptor] = events

    def _forget(self, descriptor: int) -> None:
        """The channel is closed; its descriptor may already be another's."""
        if self._waiting.pop(descriptor, 0):
            self._selector.unregister(descriptor)
        self._watched.pop(descriptor, None)

    def close(self) -> None:
        self._selector.close()
