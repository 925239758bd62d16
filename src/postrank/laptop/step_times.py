"""How long each step of a run usually takes: measured in earlier runs, or typical of the bundled sample."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import FILES, Options

# Seconds on two cores, of the bundled sample.
TYPICAL = {
    "local AWS": 4.0,
    "resources": 3.0,
    "Airflow": 35.0,
    "streamer": 30.0,
    "delivery": 30.0,
    "supervise_streamer": 20.0,
    "check_delivery": 20.0,
    "refresh_catalog": 20.0,
    "rank_authors": 40.0,
    "spark": 90.0,
}
_SAME = ("local AWS", "resources", "Airflow")  # whatever the posts are
_ANY = "any posts"
_RUNS = 5  # the newest runs count


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Seconds of the steps of earlier runs, kept in `path`: for each kind of posts, the newest last."""

    path: Path
    posts: str

    @classmethod
    def of(cls, options: Options, layout: Layout) -> "StepTimes":
        """Those of runs with as many posts as this one, to a factor of two; or of the same network."""
        posts = " + ".join(_posts(collector, layout) for collector in options.collectors())
        return cls(layout.cache / "step-times.json", posts)

    def usual(self, step: str) -> str:
        """How long the step usually takes, as a phrase; empty where that is not known."""
        if seconds := self._read().get(self._key(step), {}).get(step):
            return f"usually {median_low(seconds):.0f} s"
        if step not in TYPICAL:
            return ""
        return f"usually {TYPICAL[step]:.0f} s" + ("" if step in _SAME else " for the sample")

    def record(self, seconds: Mapping[str, float]) -> None:
        """Add the seconds of a run's steps."""
        document = self._read()
        for step, duration in seconds.items():
            steps = document.setdefault(self._key(step), {})
            steps[step] = [*steps.get(step, []), round(duration, 1)][-_RUNS:]
        _replace(self.path, json.dumps(document, indent=2) + "\n")

    def _key(self, step: str) -> str:
        return _ANY if step in _SAME else self.posts

    def _read(self) -> dict[str, dict[str, list[float]]]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return _checked(document)


def _posts(options: Options, layout: Layout) -> str:
    """The kind of posts of one source."""
    size = sum(path.stat().st_size for path in options.files(layout) if path.is_file())
    return f"{options.kind} of 2^{size.bit_length()} bytes" if options.kind in FILES else options.kind


def _checked(document: object) -> dict[str, dict[str, list[float]]]:
    """The document, or an empty one where it is of another form: an older version's, or a file that was cut."""
    tables = list(document.values()) if isinstance(document, dict) else [None]
    lists = [entry for table in tables for entry in (table.values() if isinstance(table, dict) else [None])]
    well = all(isinstance(entry, list) and all(isinstance(item, int | float) for item in entry) for entry in lists)
    return dict(document) if well and isinstance(document, dict) else {}


def _replace(path: Path, text: str) -> None:
    """Write a file as a whole: other runs may share it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
