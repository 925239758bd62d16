"""Texts for users are plain English: phrases that a reader would have to decode are rejected, with file and line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from localaws.cli import main as localaws
from postrank.cli import postrank

ROOT = Path(__file__).resolve().parents[3]

# Phrase: what to write instead.
PHRASES = {
    r"(?:is|are|was|were|be|been) told": "is reported, is notified",
    r"mend(?:s|ed|ing)?": "fix",
    r"lest": "so that ... not",
    r"beside": "next to, at the same time as, in addition to",
    r"nobody": "no one, or make the subject explicit",
    r"of ours": "our own, or name it",
    r"(?:go|goes|went|going) on with": "resume, continue",
    r"(?:stand|stands|stood) in for": "replace",
    r"stands? in": "is in",
    r"on end": "consecutive, in a row",
    r"whoever": "anyone who",
    r"(?:is|are) taken back": "is rolled back",
    r"afresh": "from the start",
    r"by and by": "gradually",
    r"what cannot be": "invalid",
    r"in vain": "without effect",
    r"heals?": "repair",
    r"of (?:its|their) own accord": "by itself",
    r"a page of its own": "a separate page",
    r"ask(?:s|ed)? nobody": "does not ask",
    r"lies? (?:below|in|beside)": "is below, is in",
}
_DECODE = re.compile(rf"\b(?:{'|'.join(PHRASES)})\b", flags=re.IGNORECASE)


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield f"{path.relative_to(ROOT)}:{number}", line


def pages() -> Iterator[tuple[str, str]]:
    """The lines of every Markdown page of the repository, without code blocks."""
    for top in (ROOT, ROOT / "docs", ROOT / "packages", ROOT / "src", ROOT / "terraform", ROOT / "benchmarks"):
        for path in sorted(top.glob("*.md") if top == ROOT else top.rglob("*.md")):
            fenced = False
            for place, line in lines_of(path):
                fenced ^= line.lstrip().startswith("```")
                if not fenced:
                    yield place, line


def command_help() -> Iterator[tuple[str, str]]:
    """The help of every command, with the command for a place."""
    waiting: list[tuple[str, click.Command]] = [("postrank", postrank), ("localaws", localaws)]
    while waiting:
        words, command = waiting.pop()
        context = click.Context(command, info_name=words)
        if isinstance(command, click.Group):
            commands = ((entry, command.get_command(context, entry)) for entry in command.list_commands(context))
            waiting += [(f"{words} {entry}", found) for entry, found in commands if found is not None]
        yield from (
            (f"{words} --help, line {n}", line) for n, line in enumerate(command.get_help(context).splitlines(), 1)
        )


def dag_documentation() -> Iterator[tuple[str, str]]:
    """The module docstrings of DAG files, which the Airflow UI shows."""
    for path in sorted((ROOT / "dags").glob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield from ((f"{path.relative_to(ROOT)}:{number}", line) for number, line in enumerate(text.splitlines(), 1))


def param_descriptions() -> Iterator[tuple[str, str]]:
    """The titles and descriptions of DAG params."""
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("title", "description"):
                strings = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
                yield f"{path.relative_to(ROOT)}:{node.value.lineno}", " ".join(map(str, strings))


def terraform_texts() -> Iterator[tuple[str, str]]:
    """Descriptions and error messages of Terraform's variables, outputs and alarms."""
    for path in sorted((ROOT / "terraform").rglob("*.tf")):
        if "bootstrap" not in path.parts:
            for place, line in lines_of(path):
                if re.search(r"\b(?:alarm_)?(?:description|error_message)\s*=", line):
                    yield place, line


def page_texts() -> Iterator[tuple[str, str]]:
    """The texts of the leaderboard's pages."""
    for path in sorted((ROOT / "include/pages").rglob("*")):
        if path.suffix in (".html", ".js"):
            yield from (
                (place, line) for place, line in lines_of(path) if not line.lstrip().startswith(("//", "/*", "*"))
            )


@pytest.mark.parametrize(
    "texts", [pages, command_help, dag_documentation, param_descriptions, terraform_texts, page_texts]
)
def test_no_text_for_users_needs_decoding(texts):
    lines = list(texts())
    assert len(lines) > 10
    matches = [f"{place}: {match.group()!r}" for place, line in lines for match in _DECODE.finditer(line)]
    assert matches == [], "write what the table PHRASES suggests:\n" + "\n".join(matches)


def test_every_phrase_of_the_table_is_found_in_a_sentence_that_uses_it():
    for sentence in ("It is told in one message.", "Mend the bucket.", "Nobody asks.", "A loop of ours.", "beside it"):
        assert _DECODE.search(sentence), sentence
