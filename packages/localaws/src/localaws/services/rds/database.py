"""The life of one DB instance's server: made once, started and stopped, restarted when it dies by itself."""

import json
import logging
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from localaws.services.rds import bootstrap_sql
from localaws.services.rds.postgres import PortTaken, PostgresServer, free_port
from localaws.services.rds.versions import chosen

log = logging.getLogger(__name__)
_PAUSE_SECONDS = 1.0  # before a server that died is started again
_PORTS = 10  # tried before a start fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the instance should be. `port` is taken where it is free, `database` made if it is named."""

    version: str
    user: str
    password: str
    database: str | None
    port: int | None

    def __repr__(self) -> str:
        return f"Wish({self.version}, {self.user}, {self.database}, {self.port})"  # the password stays out of logs


class Database:
    """One instance's server. Its folder holds `data/`, `postgresql.log` and, once it is made, `instance.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._record = folder / "instance.json"
        self._turn = threading.RLock()
        self._server: PostgresServer | None = None

    def bring_up(self, wish: Wish) -> int:
        """Have it run; returns the port. What an earlier attempt left half made is made anew. Raises OSError."""
        with self._turn:
            self._folder.mkdir(parents=True, exist_ok=True)
            state = json.loads(self._record.read_text()) if self._record.exists() else {}
            server = PostgresServer(self._folder, chosen(state.get("version") or wish.version))
            if not state:
                server.make()
            port = _start(server, state.get("port") or wish.port)
            if not state:
                server.run_sql(bootstrap_sql.master_user(wish.user, wish.password))
                if wish.database and wish.database != "postgres":  # which every server has
                    server.run_sql(bootstrap_sql.database(wish.database, wish.user))
            self._note(chosen(wish.version).major if not state else state["version"], port)
            self._server = server
            threading.Thread(target=self._watch, args=(server, wish), name="rds", daemon=True).start()
            return port

    def take_down(self) -> None:
        """Have it stop, all its data on disk."""
        with self._turn:
            server = self._server
            self._server = None
            if server is not None:
                server.stop()

    def move(self, port: int) -> None:
        """Have the next start take another port."""
        with self._turn:
            self._note(json.loads(self._record.read_text())["version"], port)

    def discard(self) -> None:
        """Stop it and remove its data."""
        with self._turn:
            self.take_down()
            shutil.rmtree(self._folder, ignore_errors=True)

    def set_password(self, user: str, password: str) -> None:
        """Raises OSError when the server does not take it."""
        with self._turn:
            if self._server is not None:
                self._server.run_sql(bootstrap_sql.master_password(user, password))

    def _note(self, version: str, port: int) -> None:
        partial = self._record.with_suffix(".new")
        partial.write_text(json.dumps({"version": version, "port": port}))
        partial.replace(self._record)

    def _watch(self, server: PostgresServer, wish: Wish) -> None:
        """Start the server again when it ended and nobody asked for it."""
        status = server.wait()
        pause = threading.Event()
        while self._server is server:
            log.warning("the Postgres server of %s ended with status %d: it is started again", self._folder, status)
            pause.wait(_PAUSE_SECONDS)
            with self._turn:
                if self._server is not server:
                    return
                try:
                    self.bring_up(wish)
                except OSError:
                    log.exception("the Postgres server of %s does not start again", self._folder)


def _start(server: PostgresServer, preferred: int | None) -> int:
    """Start the server on the preferred port, or on any other when it is taken; returns the port. Raises OSError.

    A port that was free can be taken by another process before the server listens on it.
    """
    for _ in range(_PORTS - 1):
        port = free_port(preferred)
        try:
            server.start(port)
        except PortTaken:
            continue
        return port
    port = free_port(None)
    server.start(port)
    return port
