"""`systemctl` on an instance: the verbs of systemctl(1) that mean its units, asked of its process manager."""

import os
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localaws.services.compute.instances.supervisord import SOCKET, connect

# Supervisor's process states ("Subprocesses", Supervisor) in systemd's words: ActiveState, SubState.
_STATES = {
    "STOPPED": ("inactive", "dead"),
    "STARTING": ("activating", "start"),
    "RUNNING": ("active", "running"),
    "BACKOFF": ("activating", "auto-restart"),
    "STOPPING": ("deactivating", "stop-sigterm"),
    "EXITED": ("inactive", "dead"),
    "FATAL": ("failed", "failed"),
    "UNKNOWN": ("failed", "failed"),
}
_ALREADY_STARTED = 60
_NOT_RUNNING = 70
_BAD_NAME = 10
_NO_SUCH_UNIT = 4
_NOT_ACTIVE = 3
_USAGE = 1


def properties(manager: Any, unit: str) -> dict[str, str]:
    """What `systemctl show` says of a unit ("The D-Bus interface of systemd", service properties)."""
    try:
        info = manager.getProcessInfo(unit)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != _BAD_NAME:
            raise
        missing = {"Id": f"{unit}.service", "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
        return {**missing, "Result": "success", "MainPID": "0", "ExecMainStatus": "0", "ActiveEnterTimestamp": ""}
    active, sub = _STATES[info["statename"]]
    status = int(info["exitstatus"])
    running = active == "active"
    result = "success" if running or status == 0 else "exit-code" if status > 0 else "signal"
    if info["statename"] == "EXITED" and result != "success":
        active = "failed"
        sub = "failed"
    if info["statename"] == "STOPPED":
        result = "success"
    return {
        "Id": f"{unit}.service",
        "LoadState": "loaded",
        "ActiveState": active,
        "SubState": sub,
        "Result": result,
        "MainPID": str(info["pid"]),
        "ExecMainStatus": "0" if running else str(abs(status)),
        "ActiveEnterTimestamp": _timestamp(int(info["start"])),
    }


def _timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC") if seconds else ""


def _tolerate(code: int, call: Callable[[], Any]) -> None:
    """Make a call; it is no error that the unit is already as it should be."""
    try:
        call()
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != code:
            raise


def _start(manager: Any, unit: str) -> int:
    _tolerate(_ALREADY_STARTED, lambda: manager.startProcess(unit, True))
    return 0


def _stop(manager: Any, unit: str) -> int:
    _tolerate(_NOT_RUNNING, lambda: manager.stopProcess(unit, False))
    while manager.getProcessInfo(unit)["statename"] == "STOPPING":
        time.sleep(0.1)
    return 0


def _restart(manager: Any, unit: str) -> int:
    return _stop(manager, unit) or _start(manager, unit)


def _is_active(manager: Any, unit: str) -> int:
    state = properties(manager, unit)["ActiveState"]
    print(state)
    return 0 if state == "active" else _NOT_ACTIVE


def _status(manager: Any, unit: str) -> int:
    shown = properties(manager, unit)
    if shown["LoadState"] == "not-found":
        print(f"Unit {unit}.service could not be found.", file=sys.stderr)
        return _NO_SUCH_UNIT
    active = f"{shown['ActiveState']} ({shown['SubState']})"
    print(f"* {shown['Id']}\n   Active: {active} since {shown['ActiveEnterTimestamp']}")
    print(f" Main PID: {shown['MainPID']}\n   Result: {shown['Result']} (status={shown['ExecMainStatus']})")
    return 0 if shown["ActiveState"] == "active" else _NOT_ACTIVE


_VERBS = {"start": _start, "stop": _stop, "restart": _restart, "is-active": _is_active, "status": _status}


def _show(manager: Any, units: list[str], names: list[str], bare: bool) -> int:
    for unit in units:
        shown = properties(manager, unit)
        for name in names or list(shown):
            if name in shown:
                print(shown[name] if bare else f"{name}={shown[name]}")
    return 0


def main(words: list[str]) -> int:
    """Run one command line; returns systemctl's exit status."""
    requested = []
    plain = []
    bare = False
    rest = iter(words)
    for word in rest:
        if word in ("-p", "--property"):
            requested += next(rest, "").split(",")
        elif word.startswith("--property="):
            requested += word.partition("=")[2].split(",")
        elif word == "--value":
            bare = True
        elif not word.startswith("-"):
            plain.append(word)
    verb, units = (plain[0], [name.removesuffix(".service") for name in plain[1:]]) if plain else ("", [])
    manager = connect(os.environ[SOCKET])
    if verb == "show" and units:
        return _show(manager, units, requested, bare)
    if verb not in _VERBS or not units:
        print(f"Unknown command verb {verb}.", file=sys.stderr)
        return _USAGE
    return max(_act(manager, verb, unit) for unit in units)


def _act(manager: Any, verb: str, unit: str) -> int:
    try:
        return _VERBS[verb](manager, unit)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode == _BAD_NAME:
            print(f"Failed to {verb} {unit}.service: Unit {unit}.service not found.", file=sys.stderr)
            return 5  # systemctl's LSB code for a program that is not installed
        print(f"Job for {unit}.service failed: {fault.faultString}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
