"""Names say what a thing is in the field's words: no placeholder is bound in the code that ships."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TREES = ("src", "packages", "plugins", "dags")
PLACEHOLDERS = frozenset(
    """
    asked came found given got kept known made meant one ours said stuff theirs thing told took wanted
    """.split()
)
# Bindings that may stay: how many of each word a file has. Counts only go down; a file without any leaves the list.
EXCEPTIONS: dict[str, dict[str, int]] = {}


def bindings(tree: ast.AST) -> Iterator[str]:
    """Every name that the code binds: assignments, loops, parameters, functions, classes, aliases, captures."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.alias(asname=str(name)):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


def placeholders(path: Path) -> dict[str, int]:
    names = (name.strip("_") for name in bindings(ast.parse(path.read_text(encoding="utf-8"))))
    return dict(Counter(name for name in names if name in PLACEHOLDERS))


def test_no_placeholder_is_bound_beyond_the_exceptions():
    files = (path for tree in TREES for path in sorted((ROOT / tree).rglob("*.py")))
    present = {str(path.relative_to(ROOT)): counts for path in files if (counts := placeholders(path))}
    assert present == EXCEPTIONS, "bind a name of the field instead; lower the count of an exception that went away"
