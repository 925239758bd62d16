"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the tree: what they add works."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import aws_server
from tests.support.streaming.streamers import StreamerProcess, ledger

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("CONTRIBUTING.md", "conftest.py", "pyproject.toml", "dags", "include", "packages", "plugins", "src", "tests")
_BLOCK = re.compile(r"^```(python|diff) title=\"([^\"]+)\"\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", flags=re.MULTILINE | re.DOTALL)
ITEM = {"id": "7", "date_published": "2026-05-01T12:00:00Z", "authors": [{"name": "sim_ann"}], "tags": ["eclipse"]}


@dataclass(frozen=True)
class Tree:
    """A copy of the tree to which recipes were applied."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(str(self.folder / part) for part in ("src", "packages/localaws/src", "plugins", "."))
        return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a module with this Python in the copy, on the copy's code."""
        command = [sys.executable, "-m", *words]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(240),
        )

    def test(self, path: str, *words: str) -> None:
        completed = self.run("pytest", "-q", path, *words)
        assert completed.returncode == 0, completed.stdout + completed.stderr


def apply(kind: str, path: Path, text: str) -> None:
    """Write a new file, or replace the one place of an old one that a diff names."""
    if kind == "python":
        assert not path.exists(), f"{path} exists already: the recipe adds it"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    existing = path.read_text(encoding="utf-8")
    assert existing.count(old) == 1, f"{path} does not have these lines once:\n{old}"
    path.write_text(existing.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    folder = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(origin, folder / name)
    for kind, path, text in _BLOCK.findall((folder / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        apply(kind, folder / path, text)
    return Tree(folder)


class Feed(BaseHTTPRequestHandler):
    """A JSON Feed with one item."""

    def do_GET(self) -> None:
        body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [ITEM, {"id": "8"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def feed() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/feed.json"
    server.shutdown()
    server.server_close()


def test_each_recipe_has_a_complete_example():
    sections = dict(_SECTION.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    recipes = {title: _BLOCK.findall(text) for title, text in sections.items() if title.startswith("Add a ")}
    assert len(recipes) == 4
    for title, blocks in recipes.items():
        listed = set(re.findall(r"^\| `([^`]+)` \|", sections[title], flags=re.MULTILINE))
        assert {path for _, path, _ in blocks} <= listed, title


@pytest.mark.slow
def test_a_source_added_by_the_recipe_streams_to_files(tree: Tree, feed: str, tmp_path: Path):
    tree.test("tests/contract/test_jsonfeed.py")
    source = {"kind": "jsonfeed", "url": feed, "poll_seconds": 1}
    sink = {"kind": "files", "folder": str(tmp_path / "out"), "flush_seconds": 0.2}
    settings = {"source": source, "sink": sink, "metrics": {"seconds": 0}}
    with aws_server() as aws:
        path = {"PYTHONPATH": tree.environment["PYTHONPATH"]}
        streamer = StreamerProcess(tmp_path, aws.url, [], settings=settings, env=path, forked=False)
        process = streamer.start()
        try:
            lines = wait_for(lambda: posts(tmp_path / "out"), timeout=60, what="the post in a file")
        finally:
            process.terminate()
            status = process.wait(timeout=patient(60))
        assert [row["reason"] for row in ledger(aws, "rejects")] == ["an item needs an id and an author"]
    assert [(line["post_id"], line["network"], line["hashtags"]) for line in lines] == [
        ("7", "feed:127.0.0.1", ["eclipse"])
    ]
    assert status == 0, streamer.log


def posts(folder: Path) -> list[dict[str, object]]:
    """The posts in all files of the sink."""
    files = [path for path in folder.rglob("*.ndjson") if "posts" in path.name or path.parent.name == "posts"]
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_metric_added_by_the_recipe_ranks_on_the_local_athena(tree: Tree):
    tree.test("tests/sql/test_active_minutes.py")


@pytest.mark.slow
def test_a_service_added_by_the_recipe_answers_through_boto3(tree: Tree):
    tree.test("packages/localaws/tests/services/translate/test_languages.py")


@pytest.mark.slow
def test_a_dag_added_by_the_recipe_is_read_by_airflow(tree: Tree, tmp_path: Path):
    read = "from airflow.dag_processing.dagbag import DagBag; bag = DagBag('dags/count_rejects.py')\n"
    script = tmp_path / "read.py"
    script.write_text(f"{read}assert not bag.import_errors, bag.import_errors\nassert 'count_rejects' in bag.dags\n")
    home = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    environment = {**tree.environment, **home, "POSTRANK_ENVIRONMENT": "local", "POSTRANK_ACCOUNT": "123456789012"}
    completed = subprocess.run(
        [sys.executable, str(script)], cwd=tree.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.slow
def test_what_the_recipes_add_passes_the_linter_and_the_rules_of_imports(tree: Tree):
    paths = [path for _, path, _ in _BLOCK.findall((tree.folder / "CONTRIBUTING.md").read_text(encoding="utf-8"))]
    completed = tree.run("ruff", "check", *(path for path in paths if path.endswith(".py")))
    assert completed.returncode == 0, completed.stdout
    completed = tree.run("ruff", "format", "--check", *(path for path in paths if path.endswith(".py")))
    assert completed.returncode == 0, completed.stdout
    tree.test("tests/unit/repository/test_imports.py", "-k", "jsonfeed or translate or rejects or not module")
