"""Running Postgres where this process is root, which Postgres refuses to be.

It runs as `nobody`, with the one capability that lets it reach its files below folders that are root's alone.
"""

import os
import shutil
from pathlib import Path

_USER = "nobody"
_CAPABILITY = "+dac_override"


def argv(command: list[str]) -> list[str]:
    """The command, made to run without root. Raises OSError where that cannot be done."""
    if os.geteuid() != 0:
        return command
    if (setpriv := shutil.which("setpriv")) is None:
        raise OSError("Postgres does not run as root, and there is no setpriv (util-linux) to run it as nobody")
    user, group = _ids()
    identity = [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    return [setpriv, *identity, f"--inh-caps={_CAPABILITY}", f"--ambient-caps={_CAPABILITY}", "--", *command]


def own(folder: Path) -> None:
    """Make a folder that belongs to whom Postgres runs as, and is nobody else's to read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, *_ids())


def _ids() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(_USER)
    return entry.pw_uid, entry.pw_gid
