"""Pages that must say what the code says: the runbook's alarms, the costs, the paths, the make targets, the site."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from postrank.aws.resources import Resources

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
import cost  # noqa: E402 (a script, not a package)

NAMES = Resources.of("local", "123456789012")
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
ALARMS = (ROOT / "terraform/modules/alarms/main.tf").read_text(encoding="utf-8")


def alarms() -> list[str]:
    """The alarms that Terraform makes, without the environment's prefix."""
    keys = re.findall(r'"((?:\$\{purpose\}-)?[a-z]+(?:-[a-z]+)*)"\s*(?:=>|=)\s*\{\s*\n\s*namespace', ALARMS)
    alone = re.findall(r'alarm_name\s*=\s*"\$\{local\.prefix\}-([a-z-]+)"', ALARMS)
    return sorted({key.replace("${purpose}", purpose) for key in keys for purpose in NAMES.streams} | set(alone))


def test_the_alarms_are_found():
    assert {"posts-throttled", "author_windows-freshness", "streamer-silent", "scanned"} <= set(alarms())


@pytest.mark.parametrize("alarm", alarms())
def test_every_alarm_has_its_section_in_the_runbook(alarm):
    section = re.search(rf"^## `{alarm}`\n(.+?)(?=^## |\Z)", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
    assert section, f"docs/runbook.md has no section `{alarm}`"
    text = section.group(1).strip()
    assert all(f"**{part}**" in text for part in ("Means", "Look at", "Do")) or text.startswith("The same for ")


def test_the_costs_in_the_docs_are_what_the_script_computes():
    text = cost.PAGE.read_text(encoding="utf-8")
    prices = tomllib.loads((ROOT / "scripts/prices.toml").read_text(encoding="utf-8"))
    assert cost.page_with(text, cost.table(prices)) == text, "run: python scripts/cost.py --write"


def test_costs_grow_with_the_rate_and_never_fall():
    prices = tomllib.loads((ROOT / "scripts/prices.toml").read_text(encoding="utf-8"))
    for item in cost.items(prices):
        assert sorted(item.dollars) == list(item.dollars), item.name
        assert min(item.dollars) > 0, item.name


PAGES = sorted(
    {
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "packages").glob("*/*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *(ROOT / "terraform").rglob("*.md"),
    }
)
_PATH = re.compile(r"`((?:src|plugins|dags|include|tests|scripts|terraform|benchmarks|packages|docs)/[\w./-]+)`")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_links_only_to_what_is_there(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert gone == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name)
def test_the_paths_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    added = set(re.findall(r"^```\w+ title=\"([^\"]+)\"", text, flags=re.MULTILINE))  # by the recipes of CONTRIBUTING
    paths = [path for path in _PATH.findall(text) if path not in added]
    assert [path for path in paths if not (ROOT / path).exists() and not (page.parent / path).exists()] == []


def test_the_architecture_page_answers_the_questions_of_a_stranger():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (Wh[^|]+\?) \| ([^|]+) \|$", page, flags=re.MULTILINE))
    subjects = ("Mastodon message", "CTAS", "deleted post", "throttled record", "ranks authors", "imports Airflow")
    for subject in subjects:
        answers = [answer for question, answer in rows.items() if subject in question]
        assert len(answers) == 1, subject
        paths = re.findall(r"`([\w./-]+/[\w./-]*)`", answers[0])
        assert paths, subject
        assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_make_targets_that_a_page_names_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(named) - targets == set()


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    build = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    loads = re.compile(r"<(?:script|img|iframe)[^>]+src=[\"']?(?:https?:)?//|<link[^>]+rel=[\"']?stylesheet[^>]+//")
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    assert [str(page) for page in pages if loads.search(page.read_text(encoding="utf-8"))] == []
