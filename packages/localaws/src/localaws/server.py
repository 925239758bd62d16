"""The server: services put together behind the gateway, on loopback, until it is told to stop."""

import fcntl
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localaws.core.root_key import root_key
from localaws.gateway.app import Gateway
from localaws.gateway.entrance import is_loopback
from localaws.gateway.http import HOST, run, server_for
from localaws.gateway.platform import Platform

# Packages that answer for services themselves.
SERVICES = ("kinesis", "firehose", "glue", "athena", "cloudwatch", "compute", "rds", "emrserverless")

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


class CannotServe(Exception):
    """Why there is no server; the message is for who started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve. `speed`: how many times faster than AWS waits run. `credentials`: the shared credentials file with
    the root's key, that of the state folder unless it is given.
    """

    port: int
    state: Path
    host: str = HOST
    allow_hosts: tuple[str, ...] = ()
    credentials: Path | None = None
    enforce_iam: bool = False
    call_log: Path | None = None
    speed: float = 1.0
    units: Path | None = None
    functions: Path | None = None  # <name>.py: what Lambda processors of Firehose run
    athena: str = "duckdb"  # the engine of Athena


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotServe."""
    with _held(options.state):
        platform, server = _assemble(options)
        platform.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        warm = threading.Thread(target=platform.emulator.load, daemon=True)
        warm.start()
        print(f"localaws ready on {platform.endpoint}", flush=True)
        try:
            run(server)
        finally:
            server.close()
            platform.stop()


@contextmanager
def _held(state: Path) -> Iterator[None]:
    """Keep the state folder to this process; the kernel lets go of it however the process ends."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (state / "lock").open("a+")
    except OSError as error:
        raise CannotServe(f"the state cannot be kept in {state}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise CannotServe(f"{state} is in use by another localaws, process {lock.read().strip()}") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _assemble(options: Options) -> tuple[Platform, Any]:
    """The platform with its services, and the server in front of it, not yet running."""
    try:
        _check_exposure(options)
        platform = Platform(
            options.state,
            speed=options.speed,
            call_log=options.call_log,
            enforce_iam=options.enforce_iam,
            root=root_key(options.credentials) if options.credentials else None,
        )
        server = _listening(platform, options)
        platform.endpoint = f"http://{HOST}:{server.effective_port}"
        for package in SERVICES:
            _register(platform, package, options)
    except (OSError, sqlite3.DatabaseError) as error:
        raise CannotServe(f"the state in {options.state} cannot be used: {error}") from error
    except ValueError as error:  # a setting; the message names it
        raise CannotServe(str(error)) from error
    return platform, server


def _check_exposure(options: Options) -> None:
    """Raises ValueError for a server that machines elsewhere could reach, and that would let every key do anything."""
    if not (options.enforce_iam or is_loopback(options.host)):
        raise ValueError(f"--host {options.host} can be reached from other machines: add --enforce-iam")


def _listening(platform: Platform, options: Options) -> Any:
    try:
        names = options.allow_hosts if options.host in _EVERY_ADDRESS else (options.host, *options.allow_hosts)
        return server_for(Gateway(platform, names), options.port, options.host)
    except OSError as error:
        raise CannotServe(f"cannot listen on {options.host}:{options.port}: {error.strerror}") from error


def _stop(_number: int, _frame: object) -> None:
    """End the server's loop: it answers what it has begun, then returns."""
    raise SystemExit(0)


def _register(platform: Platform, package: str, options: Options) -> None:
    spec = find_spec(f"localaws.services.{package}")
    if spec is None or spec.origin is None:
        return
    module = import_module(f"localaws.services.{package}")
    settings = {
        "compute": (options.units,),
        "athena": (options.athena,),
        "firehose": (options.functions,),
    }.get(package, ())
    created = module.create(platform, *settings)
    for service in created if isinstance(created, list) else [created]:
        platform.register(service)
