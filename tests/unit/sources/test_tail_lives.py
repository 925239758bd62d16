"""Lives of a log, drawn at random: written, rotated in every way, compressed, its reader restarted at any time."""

import gzip
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sources.test_tail import Following, json_line, tail


class Life:
    """One log and its reader. `written` counts the lines, whose numbers are their posts' ids."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.log, self.draw = folder / "posts.log", random.Random(seed)
        self.written = 0
        self.given: list[str] = []
        self.reader = Following(tail(self.log))

    def write(self) -> None:
        with self.log.open("ab") as file:
            for _ in range(self.draw.choice([1, 1, 5, 300])):
                file.write(self.line())

    def write_in_two_parts(self) -> None:
        line = self.line()
        cut = self.draw.randrange(1, len(line))
        for part in (line[:cut], line[cut:]):
            with self.log.open("ab") as file:
                file.write(part)
            self.reader.until_quiet()

    def line(self) -> bytes:
        self.written += 1
        return json_line(self.written - 1)

    def read(self) -> None:
        self.reader.until_quiet()

    def rename(self) -> None:
        if self.log.exists():
            self.log.rename(self.next_name())
            if self.draw.random() < 0.5:
                self.log.touch()

    def copy_and_truncate(self) -> None:
        if self.log.exists():
            self.read()
            if self.draw.random() < 0.5:
                self.write()
            shutil.copy2(self.log, self.next_name())
            os.truncate(self.log, 0)

    def next_name(self) -> Path:
        """Make room for the newest rotated file, as logrotate does."""
        for number in range(30, 0, -1):
            for end in ("", ".gz"):
                old = Path(f"{self.log}.{number}{end}")
                if old.exists():
                    old.rename(f"{self.log}.{number + 1}{end}")
        return Path(f"{self.log}.1")

    def compress(self) -> None:
        old = Path(f"{self.log}.{self.draw.choice([1, 2])}")
        if old.exists():
            Path(f"{old}.gz").write_bytes(gzip.compress(old.read_bytes(), 1))
            old.unlink()

    def restart(self) -> None:
        self.given += self.reader.ids
        self.reader = Following(tail(self.log), self.reader.cursor)


@pytest.mark.parametrize("seed", range(20))
def test_every_line_is_given_once_whatever_becomes_of_the_log(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    weights: dict[Callable[[], None], int] = {
        life.write: 3,
        life.read: 2,
        life.write_in_two_parts: 1,
        life.rename: 1,
        life.copy_and_truncate: 1,
        life.compress: 1,
        life.restart: 1,
    }
    for happens in life.draw.choices([*weights], [*weights.values()], k=25):
        happens()
    for _ in range(3):
        life.read()
    life.restart()
    assert sorted(life.given, key=int) == [str(number) for number in range(life.written)]
    assert life.reader.rejects == []
