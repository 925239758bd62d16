"""The streamer's host in tests: production's script with a root of its own, on the PATH of instances."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "terraform/modules/streamer/files/postrank-host"
NEEDED = ("aws", "bash", "flock", "sha256sum")


def make_host(folder: Path, *, artifacts: str, service: str, release: str = "0.0.0") -> Path:
    """A root for the host, and `postrank-host` in its `bin`, which works on it. Skips where a tool is missing."""
    for tool in NEEDED:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    root = folder / "host"
    (root / "etc/postrank").mkdir(parents=True)
    settings = {
        "ARTIFACTS": artifacts, "REGION": "us-east-1", "RELEASE": release, "SERVICE": service,
        "VOLUME": "vol-0", "PYTHON": sys.executable, "WAIT_SECONDS": "0.1",
    }  # fmt: skip
    (root / "etc/postrank/host").write_text("".join(f"{name}={shlex.quote(one)}\n" for name, one in settings.items()))
    command = root / "bin/postrank-host"
    command.parent.mkdir()
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in index.items())
    exports += f"export POSTRANK_ROOT={shlex.quote(str(root))}\n"
    command.write_text(f'#!/bin/sh\n{exports}exec bash {shlex.quote(str(SCRIPT))} "$@"\n')
    command.chmod(0o755)
    return root
