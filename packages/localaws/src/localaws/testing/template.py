"""The process that `forked.py` copies: it imports what a program needs, then forks for each request.

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
from collections.abc import Mapping
from importlib import import_module

from localaws.core.shapes import Document

_LONGEST_REQUEST = 1 << 20


class Requests:
    """Answers requests until this process is a copy itself."""

    def __init__(self, control: socket.socket, added: Mapping[str, str]) -> None:
        """`added` are variables that imports put into the environment: a program that imports anew has them, too."""
        self._control = control
        self._added = dict(added)
        self._copies: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, self._waking = socket.socketpair()
        self._wake.setblocking(False)
        self._waking.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waking.fileno())
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)

    def serve(self) -> list[str] | None:
        """Fork for each request; returns the words of the command line in a copy, None after the last request."""
        while True:
            ready = [key.fileobj for key, _ in self._selector.select()]
            if self._wake in ready:
                self._wake.recv(4096)
                self._reap()
            if self._control not in ready:
                continue
            request, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST_REQUEST, 3)
            if not request:
                self._end_copies()
                return None
            stdout, stderr, ended = descriptors
            pid = os.fork()
            if pid == 0:
                os.close(ended)
                return self._become(json.loads(request), stdout, stderr)
            os.close(stdout)
            os.close(stderr)
            self._copies[pid] = socket.socket(fileno=ended)
            self._tell(self._copies[pid], pid)

    def _become(self, request: Document, stdout: int, stderr: int) -> list[str]:
        """Leave behind what is the template's own, and take what the request gives."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for own in (self._control, self._wake, self._waking, *self._copies.values()):
            own.close()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.close(stdout)
        os.close(stderr)
        os.environ.clear()
        os.environ.update({**self._added, **request["env"]})
        os.chdir(request["cwd"])
        return list(request["words"])

    def _reap(self) -> None:
        for pid in list(self._copies):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with self._copies.pop(pid) as listener:
                    self._tell(listener, status)

    def _tell(self, listener: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):  # whoever started the copy has lost interest in it
            listener.send(str(number).encode())

    def _end_copies(self) -> None:
        for pid in self._copies:
            os.kill(pid, signal.SIGTERM)


def main() -> None:
    control = int(sys.argv[1])
    module = sys.argv[2]
    preload = sys.argv[3:]
    environment = dict(os.environ)
    for name in preload:
        import_module(name)
    added = {name: value for name, value in os.environ.items() if name not in environment}
    gc.collect()
    gc.freeze()  # so that a collection in a copy leaves alone what it shares with the template
    words = Requests(socket.socket(fileno=control), added).serve()
    if words is not None:
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
    threading._shutdown()  # type: ignore[attr-defined]  # no stub: what the interpreter calls first at its end
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
