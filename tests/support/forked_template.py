"""The process that `forked.py` copies: it imports what a module needs, then forks for each request.

A request is a JSON object (words, env, cwd) with three descriptors: stdout, stderr, and a socket for the process id
and, later, the wait status. When the socket of requests closes, the copies are ended and so is this process.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from typing import Any

# What the programs import sooner or later, by the module that starts them. No module here may start a thread.
PRELOADED = {
    "localaws": (
        "localaws.cli", "localaws.server", "localaws.kinesis", "localaws.firehose", "localaws.glue", "localaws.athena",
        "localaws.cloudwatch", "localaws.compute", "localaws.rds", "moto.moto_server.werkzeug_app", "duckdb", "sqlglot",
        "pyarrow.parquet",
    ),
    "postrank": ("postrank.cli", "postrank.cli.stream", "postrank.cli.doctor", "postrank.cli.backfill"),
}  # fmt: skip
_LONGEST_REQUEST = 1 << 20


class Template:
    """Answers requests until it is a copy itself."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._copies: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, waking = socket.socketpair()
        self._wake.setblocking(False)
        waking.setblocking(False)
        self._waking = waking
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking.fileno())
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)

    def serve(self) -> list[str]:
        """Fork for each request; in a copy, returns the words of its command line."""
        while True:
            ready = {key.fileobj for key, _ in self._selector.select()}
            if self._wake in ready:
                self._wake.recv(4096)
                self._reap()
            if self._control in ready:
                request, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST_REQUEST, 3)
                if not request:
                    self._end()
                stdout, stderr, ended = descriptors
                pid = os.fork()
                if pid == 0:
                    os.close(ended)
                    return self._become(json.loads(request), stdout, stderr)
                os.close(stdout)
                os.close(stderr)
                self._copies[pid] = socket.socket(fileno=ended)
                self._copies[pid].send(str(pid).encode())

    def _become(self, request: dict[str, Any], stdout: int, stderr: int) -> list[str]:
        """Leave behind what is the template's own, and take what the request gives."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for mine in (self._control, self._wake, self._waking, *self._copies.values()):
            mine.close()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.close(stdout)
        os.close(stderr)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        return list(request["words"])

    def _reap(self) -> None:
        for pid in list(self._copies):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with self._copies.pop(pid) as listener, contextlib.suppress(OSError):
                    listener.send(str(status).encode())

    def _end(self) -> None:
        for pid in self._copies:
            os.kill(pid, signal.SIGTERM)
        sys.exit(0)


def main() -> None:
    module, control = sys.argv[1], int(sys.argv[2])
    for name in PRELOADED[module]:
        import_module(name)
    if module == "localaws":
        _import_backends()
    gc.collect()
    gc.freeze()  # so that a collection in a copy leaves alone what it shares with the template
    words = Template(socket.socket(fileno=control)).serve()
    sys.argv = [module, *words]
    _end(_run(module))


def _run(module: str) -> int:
    """Run a module as the program; returns the exit status that the interpreter would give."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end(status: int) -> None:
    """End as the interpreter does, but without freeing every object one by one, which takes half a second."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _import_backends() -> None:
    """Load what a server loads at the first call for a service: moto's code, once the clock is set, and models."""
    from localaws.emulator import clock

    clock.install()
    from moto.backends import get_backend

    from localaws.wire.models import model

    for service in ("autoscaling", "ec2", "ecr", "glue", "iam", "logs", "secretsmanager", "sns", "ssm", "sts"):
        get_backend(service)
        model(service)


if __name__ == "__main__":
    main()
