"""Which room may import which: imports go one way, from the outer rooms to the inner ones, and never in a circle."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = {
    "postrank": ROOT / "src/postrank",
    "localaws": ROOT / "packages/localaws/src/localaws",
    "postrank_airflow": ROOT / "plugins/postrank_airflow",
}
PACKAGES = tuple(FOLDERS)


def _rooms(package: str, names: str) -> set[str]:
    return {f"{package}.{name}" for name in names.split()}


# A room is a folder, or a module of the package's root. It may import itself and the rooms that stand here; a room
# stands for the rooms inside it. Rooms of `postrank` that are not listed for a room stay closed to it.
_POSTRANK = {
    "errors": "",
    "documents": "",
    "suggestions": "",
    "options": "errors suggestions",
    "settings": "errors options",
    "extras": "errors",
    "spreadsheet": "",
    "heartbeat": "errors aws settings",
    "posts": "errors",
    "outbound": "errors",
    "kafka": "errors options extras outbound",
    "aws": "errors settings outbound",
    "sources": "posts options errors extras outbound kafka",
    "sinks": "posts errors aws settings kafka",
    "windows": "posts errors",
    "collectors": "errors options suggestions aws",
    "bundles": "collectors aws errors",
    "streamer": (
        "bundles posts errors extras collectors options outbound kafka sources sinks spreadsheet windows heartbeat aws "
        "settings"
    ),
    "ranking": "aws errors settings heartbeat spreadsheet suggestions",
    "lake": "ranking spreadsheet aws posts errors settings",
    "trends": "ranking aws errors settings",
    "warehouse": "ranking aws outbound errors",
    "airflow_service": "warehouse errors",
    "labels": "warehouse ranking aws options extras suggestions errors",
    "delivery": "ranking sinks aws errors settings heartbeat",
    "gaps": "posts errors collectors options sources sinks streamer ranking aws settings suggestions",
    "deploy": "bundles posts aws errors heartbeat",
    "supervision": "collectors deploy aws errors heartbeat",
    "report": "ranking aws errors settings",
    "environments": "deploy supervision collectors gaps report lake ranking aws errors heartbeat",
    "laptop": (
        "aws collectors ranking delivery heartbeat settings extras errors options outbound sources streamer suggestions"
        " warehouse"
    ),
    "cli": (
        "errors options settings suggestions extras heartbeat outbound posts aws sources sinks spreadsheet streamer "
        "ranking lake gaps deploy report laptop warehouse labels collectors bundles environments airflow_service"
    ),
    "__main__": "cli",
}
_LOCALAWS = {
    "core": "",
    "wire": "core",
    "emulator": "core wire",
    "iam": "core wire emulator",
    "services.s3": "core wire",
    "services.cloudwatch": "core",
    "services.kinesis": "core services.cloudwatch.metrics",
    "services.firehose": "core services.cloudwatch.metrics",
    "services.glue": "core",
    "services.athena": "core",
    "services.compute": "core",
    "services.rds": "core",
    "services.emrserverless": "core",
    "services": "",
    "gateway": "core wire emulator iam services.s3 services.kinesis.streams",
    "server": "core gateway",
    "testing": "core wire emulator services.athena",
    "pytest_plugin": "testing",
    "cli": "core server",
    "__main__": "cli",
}
_DAGS = (
    "documents outbound posts aws collectors delivery deploy extras gaps heartbeat labels lake options ranking report"
    " settings sinks supervision trends errors"
)
_AIRFLOW = {
    "connections": "",
    "dag": "connections",
    "operators": "connections dag",
    "tasks": "connections dag operators",
    "ui": "connections dag",
}
MAY_IMPORT = {
    **{f"postrank.{room}": _rooms("postrank", f"documents {inner}") for room, inner in _POSTRANK.items()},
    **{f"localaws.{room}": _rooms("localaws", inner) for room, inner in _LOCALAWS.items()},
    **{
        f"postrank_airflow.{room}": _rooms("postrank_airflow", inner) | _rooms("postrank", f"{_DAGS} warehouse")
        for room, inner in _AIRFLOW.items()
    },
    "dags": _rooms("postrank_airflow", "connections dag operators tasks") | _rooms("postrank", "documents"),
}


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            dotted = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
            yield dotted, path
    for path in sorted((ROOT / "dags").glob("*.py")):
        yield f"dags.{path.stem}", path


MODULES = dict(modules())


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, those of `from a import b` as `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(module: str) -> str | None:
    """The innermost room of MAY_IMPORT that holds a module."""
    return max((room for room in MAY_IMPORT if module == room or module.startswith(f"{room}.")), key=len, default=None)


def allowed(module: str, imported: str) -> bool:
    room = room_of(module)
    rooms = MAY_IMPORT[room] | {room} if room else set()
    return any(imported == name or imported.startswith(f"{name}.") for name in rooms)


def folder_of(module: str) -> str:
    """The folder that holds a module; a module at the root of its package is a room by itself."""
    is_package = MODULES[module].name == "__init__.py"
    folder = module if is_package else module.rpartition(".")[0]
    return module if folder in PACKAGES else folder


def module_of(imported: str) -> str | None:
    """The module that an imported name is, or is part of."""
    while imported and imported not in MODULES:
        imported = imported.rpartition(".")[0]
    return imported or None


@pytest.mark.parametrize(("module", "path"), MODULES.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_from_the_rooms_it_may_enter(module: str, path: Path) -> None:
    if module in PACKAGES:
        assert not imports(path), f"{module} itself imports nothing"
        return
    assert room_of(module), f"{module} is in no room of MAY_IMPORT"
    ours = {name for name in imports(path) if name.split(".")[0] in PACKAGES and name not in PACKAGES}
    wrong = sorted(name for name in ours if not allowed(module, name))
    assert not wrong, f"{module} may not import {wrong}"


def test_no_two_folders_import_each_other_by_any_way_round() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for module, path in MODULES.items():
        for name in imports(path):
            target = module_of(name)
            if target and target not in PACKAGES and folder_of(target) != folder_of(module):
                graph[folder_of(module)].add(folder_of(target))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports go in a circle: {' -> '.join(error.args[1])}")


def test_only_the_plugins_and_the_dags_import_airflow() -> None:
    wrong = {
        module
        for module, path in MODULES.items()
        if module.split(".")[0] in ("postrank", "localaws") and any(n.split(".")[0] == "airflow" for n in imports(path))
    }
    assert not wrong


def test_the_local_aws_knows_nothing_of_postrank() -> None:
    tests = (ROOT / "packages/localaws/tests").rglob("*.py")
    files = [*tests, *(path for module, path in MODULES.items() if module.split(".")[0] == "localaws")]
    wrong = [path for path in files if {name.split(".")[0] for name in imports(path)} & {"postrank", "tests"}]
    assert not wrong
