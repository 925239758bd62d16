"""The bundled sample, whole and divided among the collectors that a run without any other posts has."""

import gzip
import json
from pathlib import Path

from postrank.laptop.setup.layout import Layout

X = "sample-x"
OTHERS = "sample-others"
PARTS = (X, OTHERS)  # the collectors: one has the posts of X, the other those of all other networks


def whole(layout: Layout) -> Path:
    """The sample as it is bundled."""
    return layout.root / "include" / "sample" / "synthetic-posts.ndjson.gz"


def part(layout: Layout, collector: str) -> Path:
    """A collector's part of the sample, divided at the first run and kept in the cache."""
    sample = whole(layout)
    status = sample.stat()
    folder = layout.cache / f"sample-{status.st_size}-{status.st_mtime_ns}"
    path = folder / f"{collector}.ndjson.gz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _divide(sample, folder)
    return path


def _divide(sample: Path, folder: Path) -> None:
    lines: dict[str, list[bytes]] = {name: [] for name in PARTS}
    with gzip.open(sample) as file:
        for line in file:
            lines[X if json.loads(line)["network"] == "x" else OTHERS].append(line)
    for name, own in lines.items():
        whole_file = folder / f".{name}.new"
        whole_file.write_bytes(gzip.compress(b"".join(own), 6, mtime=0))
        whole_file.replace(folder / f"{name}.ndjson.gz")
