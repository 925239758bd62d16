"""Every DAG can be read by the person on call, and does nothing while it is being read."""

import ast
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
EXPECTED = {
    "backfill_posts",
    "check_compliance",
    "check_delivery",
    "label_posts",
    "load_warehouse",
    "maintain_lake",
    "rank_authors",
    "refresh_catalog",
    "stream_windows",
    "supervise_streamer",
    "trending_topics",
}


AT_WORK = ("open", "os.listdir", "os.scandir", "os.system", "subprocess.Popen", "socket.connect", "socket.getaddrinfo")


@pytest.fixture(scope="module")
def work_while_parsing():
    return []


@pytest.fixture(scope="module")
def bag(work_while_parsing):
    from airflow.dag_processing.dagbag import DagBag

    parsing = True

    def look(event: str, args: tuple) -> None:
        installed = bool(args) and str(args[0]).startswith(sys.prefix)  # cron_descriptor opens its translations
        if parsing and event in AT_WORK and not installed and _of_a_dag_file():
            work_while_parsing.append((event, str(args[:1])))

    sys.addaudithook(look)  # which nothing can take away again: it only looks while `parsing`
    found = DagBag(str(ROOT / "dags"), safe_mode=False)
    parsing = False
    assert found.import_errors == {}
    return found


def _of_a_dag_file() -> bool:
    """Whether what is done now was asked for by a line of a DAG file, other than by an import."""
    frame = sys._getframe(1)
    while frame := frame.f_back:
        if "importlib" in frame.f_code.co_filename:
            return False
        if Path(frame.f_code.co_filename) in FILES:
            return True
    return False


def test_a_dag_file_reads_writes_starts_and_asks_nothing_while_it_is_parsed(bag, work_while_parsing):
    assert work_while_parsing == []


def test_all_dags_are_there(bag):
    assert set(bag.dags) == {path.stem for path in FILES} == EXPECTED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dag_file_declares_and_does_no_work(path):
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert len(source.splitlines()) <= 80
    assert sum(isinstance(node, ast.stmt) for node in ast.walk(tree)) <= 50
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While | ast.Try)]
    assert loops == []
    contexts = [item.context_expr for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items]
    assert {ast.unparse(context.func) for context in contexts} <= {"group"}
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not any(name.split(".")[0] in ("boto3", "botocore", "os", "duckdb", "pandas") for name in imported)


def test_every_dag_says_what_it_does_and_how_often_at_once(bag):
    for dag in bag.dags.values():
        assert dag.doc_md
        assert len(dag.doc_md) > 100
        assert dag.tags
        assert dag.max_active_runs == (2 if dag.dag_id == "load_warehouse" else 1)
        assert not dag.catchup


def test_every_dag_and_task_is_documented_in_words_of_the_glossary(bag):
    from postrank_airflow.dag.docs import _STATEMENTS, _TERMS

    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for dag in bag.dags.values():
        assert "#### Terms" in dag.doc_md, dag.dag_id
        for task in dag.tasks:
            assert _told(task, "doc_md"), task
    for term, meaning in _TERMS.items():
        rows = [line for line in glossary.splitlines() if f"**{term}**".lower() in line.lower()]
        assert len(rows) == 1, term
        assert rows[0].split(" | ")[-1].startswith(meaning), term
    assert all((ROOT / "include" / "sql" / path).exists() for path in _STATEMENTS)


def test_the_graph_of_every_dag_fits_a_screen(bag):
    for dag in bag.dags.values():
        for group in dag.task_group.get_task_group_dict().values():
            assert len(group.children) <= 8, (dag.dag_id, group.group_id)
            assert group.is_root or group.tooltip, group.group_id


def test_tasks_keep_their_names_when_they_move_between_groups(bag):
    assert not [task for dag in bag.dags.values() for task in dag.tasks if "." in task.task_id]


def test_every_task_has_an_owner_a_limit_and_someone_to_tell(bag):
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.owner == "postrank", task
            # A human's answer has a limit of its own; there the other would end the asking ("HITLOperator").
            assert _told(task, "execution_timeout") or getattr(task, "response_timeout", None), task
            assert _told(task, "on_failure_callback"), task
            assert not task.retries or _told(task, "retry_exponential_backoff"), task


def test_every_dag_has_a_deadline_that_tells_humans(bag):
    for dag in bag.dags.values():
        (deadline,) = dag.deadline
        assert deadline.callback.path == "postrank_airflow.dag.deadlines.late"
        assert deadline.interval


def test_every_pool_that_a_task_names_is_among_those_that_airflow_is_given(bag):
    pools = json.loads((ROOT / "include" / "pools.json").read_text(encoding="utf-8"))
    named = {task.pool for dag in bag.dags.values() for task in dag.tasks}
    assert named - {"default_pool"} == set(pools)


def test_lineage_goes_from_the_raw_arrivals_to_the_exports(bag):
    read, written = {}, {}
    for dag in bag.dags.values():
        for task in dag.tasks:
            read.setdefault(dag.dag_id, set()).update(asset.name for asset in _told(task, "inlets") or ())
            written.setdefault(dag.dag_id, set()).update(asset.name for asset in _told(task, "outlets") or ())
    assert written["refresh_catalog"] == {"raw_posts"} <= read["rank_authors"]
    assert written["rank_authors"] == {"posts", "author_ranking", "rankings"}
    assert (read["trending_topics"], written["trending_topics"]) == ({"posts"}, {"trends"})
    assert (read["backfill_posts"], written["backfill_posts"]) == ({"gaps"}, {"raw_posts", "gaps"})


def _told(task, setting):
    """What a task, mapped or not, is told."""
    return getattr(task, "partial_kwargs", {}).get(setting) or getattr(task, setting, None)


def test_every_param_is_explained_for_the_form(bag):
    for dag in bag.dags.values():
        for name in dag.params:
            param = dag.params.get_param(name)
            assert param.schema.get("title"), (dag.dag_id, name)
            assert param.description, (dag.dag_id, name)
            assert param.schema.get("examples") is not None, (dag.dag_id, name)
