"""Units: the programs that instances may run, as TOML files describe them.

An instance runs the units that its tag `localaws:units` names; its user data is kept and never run. `<unit>.toml`:

    argv = ["/usr/bin/env", "python", "-m", "mine"]   # required
    working_directory = "/somewhere"
    restart = "on-failure"         # "always", "on-failure" or "no" (systemd.service, Restart=)
    stop_signal = "TERM"
    stop_timeout_seconds = 10      # then SIGKILL
    log = "/somewhere/mine.log"    # stdout and stderr; below the instance's folder unless said
    [env]
    NAME = "value"

Programs in the folder's `bin/` are on every instance's PATH, as if its image had them.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from localaws.core.shapes import Document

Restart = Literal["always", "on-failure", "no"]
TAG = "localaws:units"
_NAME = re.compile(r"[A-Za-z0-9_@.-]+\Z")
_KNOWN = {"argv", "working_directory", "restart", "stop_signal", "stop_timeout_seconds", "log", "env"}


class BadUnit(ValueError):
    """A unit that does not exist or cannot be run; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One program of an instance."""

    name: str
    argv: list[str]
    working_directory: Path | None = None
    restart: Restart = "no"
    stop_signal: str = "TERM"
    stop_timeout_seconds: int = 10
    log: Path | None = None
    env: dict[str, str] = field(default_factory=dict)


def names(tag: str) -> list[str]:
    """The units that a tag's value names, separated by commas or spaces."""
    return [name.removesuffix(".service") for name in re.split(r"[,\s]+", tag) if name]


def load(folder: Path | None, name: str) -> Unit:
    """The unit of that name. Raises BadUnit."""
    if folder is None or not _NAME.match(name):
        raise BadUnit(f"there is no unit {name}: " + ("its name is not one" if folder else "no folder of units is set"))
    try:
        document = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadUnit(f"there is no unit {name}: {folder / name}.toml does not exist") from None
    except tomllib.TOMLDecodeError as error:
        raise BadUnit(f"unit {name} is not TOML: {error}") from error
    return _checked(name, document)


def _checked(name: str, document: Document) -> Unit:
    argv = document.get("argv")
    restart = document.get("restart", "no")
    env = document.get("env", {})
    seconds = document.get("stop_timeout_seconds", 10)
    faults = [f"{key} is not a setting of a unit" for key in sorted(document.keys() - _KNOWN)]
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        faults.append("argv must be a list of texts, the program first")
    if restart not in get_args(Restart):
        faults.append(f"restart is {restart!r}, not one of {', '.join(get_args(Restart))}")
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        faults.append("env must be a table of texts")
    if not isinstance(seconds, int) or seconds < 0:
        faults.append("stop_timeout_seconds must be a whole number of seconds")
    if faults:
        raise BadUnit(f"unit {name}: {'; '.join(faults)}")
    paths = {key: Path(document[key]) for key in ("working_directory", "log") if key in document}
    signal = str(document.get("stop_signal", "TERM")).removeprefix("SIG")
    return Unit(
        name=name, argv=argv or [], restart=restart, stop_signal=signal, stop_timeout_seconds=seconds, env=env, **paths
    )
