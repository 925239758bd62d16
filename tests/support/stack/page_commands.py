"""The commands of a documentation page and the output that it shows, for a test that follows the page."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = "Only on AWS"  # the title of a block that such a test leaves out
_OUTPUT = "Output"
_FENCE = re.compile(r'^```(sh|text)(?: title="([^"]*)")?\n(.*?)^```$', flags=re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A block of commands, and the lines of the block of output that follows it; `...` stands for any text."""

    commands: str
    output: tuple[str, ...]
    is_elsewhere: bool

    def missing(self, printed: str) -> list[str]:
        """The lines of the output that did not appear, each looked for behind the one before."""
        missing = []
        place = 0
        for line in self.output:
            pattern = ".*".join(re.escape(part) for part in line.split("..."))
            match = re.compile(pattern).search(printed, place)
            if match is None:
                missing.append(line)
            else:
                place = match.end()
        return missing


def steps(text: str) -> Iterator[Step]:
    """The steps of a page from its top to its bottom. Raises ValueError where output follows no commands."""
    commands = ""
    title = ""
    for language, label, body in _FENCE.findall(text):
        if language == "text" and label == _OUTPUT:
            if not commands:
                raise ValueError(f"output follows no commands: {body}")
            yield Step(commands, tuple(body.splitlines()), title == ELSEWHERE)
            commands = ""
        elif language == "sh":
            if commands:
                yield Step(commands, (), title == ELSEWHERE)
            commands = body
            title = label
    if commands:
        yield Step(commands, (), title == ELSEWHERE)


@dataclass
class Terminal:
    """A reader's terminal: what a block exports is there in the next."""

    folder: Path
    env: dict[str, str]

    def run(self, commands: str, *, timeout: float) -> str:
        """Run a block; returns what it printed. Raises AssertionError where a command fails, with its output."""
        exported = self.folder / "exported"
        script = f"set -euo pipefail\n{commands}\nenv -0 > {exported.name}\n"
        completed = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert completed.returncode == 0, f"{commands}\nstatus {completed.returncode}:\n{completed.stdout[-6000:]}"
        variables = (entry.partition("=") for entry in exported.read_text(encoding="utf-8").split("\0") if entry)
        self.env = {name: value for name, _, value in variables}
        return completed.stdout
