"""Files of any compression are read as a whole, and left closed."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from postrank.sources.files.compressed import open_decompressed

PACK: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.compress,
}


def descriptors(path: Path) -> list[str]:
    """The descriptors of this process that are open on a file."""
    links = {link.name: link for link in Path("/proc/self/fd").iterdir()}
    return [name for name, link in links.items() if link.is_symlink() and link.readlink() == path]


@pytest.mark.parametrize("kind", list(PACK))
def test_a_file_is_read_whatever_it_was_compressed_with_and_closed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "posts"
    path.write_bytes(PACK[kind](b"one\n") + (PACK[kind](b"two\n") if kind != "none" else b"two\n"))
    file, compression = open_decompressed(path)
    assert descriptors(path)
    assert (file.read(), compression) == (b"one\ntwo\n", kind)
    file.close()
    assert descriptors(path) == []
