"""Who may import whom: the boundaries that keep the rooms of the house apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WHERE = {
    "postrank": ROOT / "src/postrank",
    "localaws": ROOT / "packages/localaws/src/localaws",
    "postrank_airflow": ROOT / "plugins/postrank_airflow",
}

# A room may import itself, what stands here, and nothing else of ours. `sources.x` and the like are rooms of `sources`.
MAY_IMPORT: dict[str, set[str]] = {
    "postrank.errors": set(),
    "postrank.options": {"postrank.errors"},
    "postrank.settings": {"postrank.errors", "postrank.options"},
    "postrank.posts": {"postrank.errors"},
    "postrank.aws": {"postrank.errors", "postrank.settings"},
    "postrank.sources": {"postrank.posts", "postrank.options", "postrank.errors"},
    "postrank.sinks": {"postrank.posts", "postrank.errors", "postrank.aws", "postrank.settings"},
    "postrank.windows": {"postrank.posts", "postrank.errors"},
    "postrank.heartbeat": {"postrank.errors", "postrank.aws", "postrank.settings"},
    "postrank.streamer": {
        f"postrank.{room}"
        for room in ("posts", "errors", "options", "sources", "sinks", "windows", "heartbeat", "aws", "settings")
    },
    "postrank.gaps": {
        f"postrank.{room}" for room in ("posts", "errors", "options", "sources", "sinks", "streamer", "aws", "settings")
    },
    "postrank.deploy": {"postrank.aws", "postrank.errors", "postrank.heartbeat"},
    "postrank.ranking": {"postrank.aws", "postrank.errors", "postrank.settings", "postrank.heartbeat"},
    "postrank.report": {"postrank.ranking", "postrank.aws", "postrank.errors", "postrank.settings"},
    "postrank.laptop": {f"postrank.{room}" for room in ("aws", "results", "heartbeat", "settings", "errors")},
    "postrank.cli": {"postrank", "localaws"},
    "postrank.__main__": {"postrank.cli"},
    "localaws": set(),
    "postrank_airflow": {
        f"postrank.{room}"
        for room in ("aws", "deploy", "results", "report", "sinks", "heartbeat", "settings", "errors")
    },
    "dags": {f"postrank.{room}" for room in ("aws", "results", "heartbeat", "settings", "errors")}
    | {"postrank_airflow"},
}
OURS = ("postrank", "localaws", "postrank_airflow")


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in WHERE.items():
        for path in sorted(folder.rglob("*.py")):
            dotted = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
            yield dotted, path
    for path in sorted((ROOT / "dags").glob("*.py")):
        yield f"dags.{path.stem}", path


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, those of `from a import b` as `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(module: str) -> str | None:
    return max((room for room in MAY_IMPORT if module == room or module.startswith(f"{room}.")), key=len, default=None)


def allowed(module: str, imported: str) -> bool:
    room = room_of(module)
    rooms = MAY_IMPORT[room] | {room} if room else set()
    return any(imported == one or imported.startswith(f"{one}.") for one in rooms)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_from_the_rooms_it_may_enter(module: str, path: Path) -> None:
    if module == "postrank":
        return  # the package itself holds nothing
    assert room_of(module), f"{module} is in no room of MAY_IMPORT"
    wrong = {one for one in imports(path) if one.split(".")[0] in OURS and one not in OURS and not allowed(module, one)}
    assert not wrong, f"{module} may not import {sorted(wrong)}"


def test_the_installable_code_never_imports_airflow() -> None:
    wrong = {
        name
        for name, path in modules()
        if name.split(".")[0] in ("postrank", "localaws")
        for one in imports(path)
        if one.split(".")[0] == "airflow" and not name.startswith("postrank_airflow")
    }
    assert not wrong
