"""Releases for tests: the real wheel under other version numbers, with or without a fault, whose requirements are those
of this test run's environment.
"""

import base64
import hashlib
import site
import zipfile
from pathlib import Path

from postrank.deploy.release import REQUIREMENTS, SUMS, Release

# A release that starts and never says a word.
SILENT = """
import signal

def stream():
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    while True:
        signal.pause()
"""


def release_as(wheel: Path, folder: Path, version: str, *, broken: bool = False) -> Release:
    """The wheel as if it were `version`; `broken` lets `postrank stream` do nothing, for ever."""
    folder.mkdir(parents=True)
    built = wheel.name.split("-")[1]
    target = folder / wheel.name.replace(f"-{built}-", f"-{version}-")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        rows = []
        for name in old.namelist():
            if name.endswith("/RECORD"):
                continue
            body = old.read(name)
            if name.endswith("/METADATA"):
                body = body.replace(f"\nVersion: {built}\n".encode(), f"\nVersion: {version}\n".encode())
            if broken and name == "postrank/cli/stream.py":
                body = SILENT.encode()
            rows.append(_add(new, name.replace(f"postrank-{built}.dist-info", f"postrank-{version}.dist-info"), body))
        # In place of requirements: what is installed here is found after what the release brings.
        rows.append(_add(new, "tests_environment.pth", "\n".join(site.getsitepackages()).encode()))
        record = f"postrank-{version}.dist-info/RECORD"
        new.writestr(record, "".join(f"{row}\n" for row in rows) + f"{record},,\n")
    (folder / REQUIREMENTS).write_text("# the tests' own environment\n")
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (target, folder / REQUIREMENTS)
    ]
    (folder / SUMS).write_text("".join(lines))
    return Release.of(folder)


def _add(wheel: zipfile.ZipFile, name: str, body: bytes) -> str:
    wheel.writestr(name, body)
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(body)}"
