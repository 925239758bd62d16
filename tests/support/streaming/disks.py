"""File systems that are small, or that nobody may write to."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int, *more: str) -> Iterator[Path]:
    """A file system in memory, of a size, with more options of mount; skips where this user may not mount one."""
    options = ",".join((f"size={megabytes}m", *more))
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        # Lazy: a test that failed may have left a file open, and what stays mounted breaks pytest's next clean-up.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
