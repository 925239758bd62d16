"""Where Unix sockets of this user's processes are: a path short enough for a socket's (unix(7): 108 bytes)."""

import os
import tempfile
from pathlib import Path


def folder() -> Path:
    """The folder, this user's alone. Raises PermissionError when somebody else has made it."""
    path = Path(tempfile.gettempdir()) / f"localaws-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else")
    return path
