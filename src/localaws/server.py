"""The server: services put together behind the gateway, on loopback, until it is told to stop."""

import signal
import threading
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from localaws.gateway.app import Gateway
from localaws.gateway.http import HOST, server_for
from localaws.gateway.platform import Platform

# Packages that answer for services themselves. `compute` is told what its instances may run.
_SERVICES = ("kinesis", "firehose", "glue", "athena", "cloudwatch", "compute", "rds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve. `speed`: how many times faster than AWS waits run."""

    port: int
    state: Path
    host: str = HOST
    enforce_iam: bool = False
    call_log: Path | None = None
    speed: float = 1.0
    units: Path | None = None


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when the port is taken."""
    platform = Platform(options.state, speed=options.speed, call_log=options.call_log, enforce_iam=options.enforce_iam)
    server = server_for(Gateway(platform), options.port, options.host)
    platform.endpoint = f"http://{HOST}:{server.effective_port}"
    for package in _SERVICES:
        _register(platform, package, options)
    platform.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    warm = threading.Thread(target=platform.emulator.load, daemon=True)
    warm.start()
    print(f"localaws ready on {platform.endpoint}", flush=True)
    try:
        server.run()
    finally:
        server.close()
        platform.stop()


def _stop(_number: int, _frame: object) -> None:
    """End the server's loop: it answers what it has begun, then returns."""
    raise SystemExit(0)


def _register(platform: Platform, package: str, options: Options) -> None:
    spec = find_spec(f"localaws.{package}")
    if spec is None or spec.origin is None:
        return
    module = import_module(f"localaws.{package}")
    made = module.create(platform, options.units) if package == "compute" else module.create(platform)
    for service in made if isinstance(made, list) else [made]:
        platform.register(service)
