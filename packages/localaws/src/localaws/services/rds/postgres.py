"""One Postgres server: its files, and its process, which ends with this one however this one ends."""

import contextlib
import hashlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil

from localaws.core.sockets import folder as sockets
from localaws.services.rds import unprivileged
from localaws.services.rds.bootstrap_sql import ADMIN
from localaws.services.rds.versions import Installed

log = logging.getLogger(__name__)
HOST = "127.0.0.1"
# Deadlines for a machine that is far slower than it should be; what comes in time costs none of it.
_READY_SECONDS = 300.0
_STOP_SECONDS = 120.0
_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
# Tells the server to shut down (SIGINT, "fast": PostgreSQL, "Shutting Down the Server") when its own standard input
# ends, which the kernel sees to if the process that holds the other end is killed.
_KEEPER = (
    'exec 3<&0; "$@" 3<&- </dev/null & server=$!;'
    ' { read -r _ <&3; kill -INT "$server"; } & keeper=$!;'
    ' wait "$server"; status=$?; kill "$keeper" 2>/dev/null; exit "$status"'
)
# The service's superuser comes in by the socket alone, all others by their password alone.
_ACCESS = f"""local all {ADMIN} trust
host all {ADMIN} all reject
host all all {HOST}/32 scram-sha-256
"""
_SETTINGS = {
    "listen_addresses": HOST,
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


class PortTaken(OSError):
    """Another process listens on the port that the server was to have."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Postgres does not start: port {port} on {HOST} is taken")


class PostgresServer:
    """The server whose files are in `folder`."""

    def __init__(self, folder: Path, binaries: Installed) -> None:
        self._folder = folder
        self._binaries = binaries
        self._data = folder / "data"
        self._socket = sockets() / ("pg-" + hashlib.sha256(str(folder).encode()).hexdigest()[:16])
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Lay out the files of an empty server. Raises OSError."""
        self.end_leftover()
        for rest in (self._data, *self._folder.glob("making-*")):
            shutil.rmtree(rest, ignore_errors=True)
        # A name of its own: the `initdb` of a local AWS that was killed may still be at work.
        making = self._folder / f"making-{uuid.uuid4().hex}"
        unprivileged.own(making)
        arguments = ["--username", ADMIN, "--encoding", "UTF8", "--locale", _LOCALE, "--no-sync", "--auth", "trust"]
        self._run("initdb", "--pgdata", str(making), *arguments)
        (making / "pg_hba.conf").write_text(_ACCESS)
        making.rename(self._data)

    def start(self, port: int) -> None:
        """Start it; returns when it takes connections. Raises PortTaken, OSError."""
        self.end_leftover()
        self._port = port
        unprivileged.own(self._socket)
        settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(self._socket)}
        command = [str(self._binaries.programs / "postgres"), "-D", str(self._data)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "postgresql.log").open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _KEEPER, "localaws-postgres", *unprivileged.argv(command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd="/",
                start_new_session=True,
            )
        self._await_ready()

    def wait(self) -> int:
        """Its exit status, when it ends."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """End every connection and the server; it is killed if it takes too long."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
        shutil.rmtree(self._socket, ignore_errors=True)

    def run_sql(self, text: str) -> None:
        """Run statements as the superuser. Raises OSError with what the server says."""
        self._run("psql", *self._as_admin(), "--set", "ON_ERROR_STOP=1", "--quiet", stdin=text)

    def end_leftover(self) -> None:
        """End a server that still works on these files, of a local AWS that was killed a moment ago."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            if str(self._data) not in process.cmdline():
                return
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_SECONDS)
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return
        except psutil.TimeoutExpired:
            process.kill()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            if self._process is None or self._process.poll() is not None:
                self.stop()
                if not _is_free(self._port):
                    raise PortTaken(self._port)
                raise OSError(f"Postgres does not start: {self._last_line()}")
            try:
                self._run("psql", *self._as_admin(), "--command", "select 1")
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise
                time.sleep(0.1)

    def _as_admin(self) -> list[str]:
        target = ["--host", str(self._socket), "--port", str(self._port), "--username", ADMIN, "--dbname", "postgres"]
        return ["--no-psqlrc", "--no-password", *target]

    def _run(self, program: str, *arguments: str, stdin: str = "") -> None:
        command = unprivileged.argv([str(self._binaries.programs / program), *arguments])
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=_environment(), cwd="/", check=False
        )
        if done.returncode != 0:
            raise OSError(f"{program} failed: {done.stderr.strip()[-500:]}")

    def _last_line(self) -> str:
        lines = (self._folder / "postgresql.log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it says nothing"


def free_port(preferred: int | None) -> int:
    """`preferred` if it is free, else any free port. Raises OSError."""
    for port in (preferred or 0, 0):
        with contextlib.suppress(OSError, OverflowError):
            return _bound(port)
    raise OSError(f"no port is free on {HOST}")


def _is_free(port: int) -> bool:
    try:
        _bound(port)
    except OSError:
        return False
    return True


def _bound(port: int) -> int:
    """The port that a socket could be bound to: that one, or any for 0. Raises OSError, OverflowError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": _LOCALE, "TZ": "UTC"}
