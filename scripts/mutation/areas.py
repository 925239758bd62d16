"""The areas of `make mutants`: which modules they hold, and which tests are to catch a mutant of each."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LEAST_CAUGHT = 0.9  # of an area's mutants


@dataclass(frozen=True, slots=True)
class Area:
    """`tests` by path of a file to mutate, both below the root; the tests that take least come first."""

    name: str
    tests: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file: `original` becomes `mutated`, both the whole text of the file."""

    area: str
    path: str
    line: int
    original: str
    mutated: str
    tests: Sequence[str]

    @property
    def change(self) -> tuple[str, str]:
        """The first line that differs, before and after."""
        before = self.original.splitlines()
        after = self.mutated.splitlines()
        number = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
        return before[number].strip(), (after[number] if number < len(after) else "").strip()


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A line of which no mutant changes what the module does for its callers, and why that is so.

    Where only some mutants of it are so, `mutated` lists what these make of the line.
    """

    path: str
    line: str
    reason: str
    mutated: Sequence[str] = ()


def areas() -> list[Area]:
    """The areas of `areas.toml`: each pattern of files with its tests; a later pattern overrides an earlier one.

    Raises ValueError for a pattern without files.
    """
    read = []
    for name, patterns in _read("areas.toml")["areas"].items():
        tests: dict[str, Sequence[str]] = {}
        for pattern, files in patterns.items():
            paths = sorted(ROOT.glob(pattern))
            if not paths:
                raise ValueError(f"areas.toml: {name}: no file is named {pattern}")
            tests.update((str(path.relative_to(ROOT)), files) for path in paths)
        read.append(Area(name, {path: files for path, files in tests.items() if not path.endswith("__init__.py")}))
    return read


def equivalents() -> list[Equivalent]:
    """The lines whose mutants are not counted."""
    return [Equivalent(**entry) for entry in _read("areas.toml").get("equivalent", ())]


def hand_made() -> list[Mutant]:
    """The mutants of `hand_made.toml`. Raises ValueError for a fragment that its file does not hold exactly once."""
    tests = {area.name: area.tests for area in areas()}
    return [
        _hand_made(name, path, tests[name][path], original, mutated)
        for name, files in _read("hand_made.toml").items()
        for path, fragments in files.items()
        for original, mutated in fragments
    ]


def _hand_made(area: str, path: str, tests: Sequence[str], original: str, mutated: str) -> Mutant:
    text = (ROOT / path).read_text(encoding="utf-8")
    if (occurrences := text.count(original)) != 1:
        raise ValueError(f"hand_made.toml: {path} holds {original!r} {occurrences} times, not once")
    line = text[: text.index(original)].count("\n") + 1
    return Mutant(area, path, line, text, text.replace(original, mutated), tests)


def _read(name: str) -> dict[str, dict]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))
