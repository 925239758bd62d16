"""What systemd hears of the streamer: that it works, and that it still does (sd_notify(3); systemd.service, Type=)."""

import os
import socket
import time
from collections.abc import Mapping

_ALIVE_SECONDS = 10.0  # between two signs of life; the unit's WatchdogSec is far longer


class Notifier:
    """Speaks to the service manager, if there is one; without NOTIFY_SOCKET every call does nothing."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._due = 0.0

    def ready(self) -> None:
        """The streamer reads, or is about to."""
        self._say("READY=1")

    def alive(self) -> None:
        """The streamer moves on: the watchdog starts to count anew. To be called as often as one likes."""
        if self._address and time.monotonic() >= self._due:
            self._due = time.monotonic() + _ALIVE_SECONDS
            self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.sendto(text.encode(), self._address)
