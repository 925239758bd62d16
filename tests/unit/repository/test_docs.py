"""Pages that must say what the code says: the runbook's alarms, the costs, the commands."""

import re
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
    said = section.group(1)
    assert all(f"**{part}**" in said for part in ("Means", "Look at", "Do")) or said.startswith("The same for ")


def test_the_costs_in_the_docs_are_what_the_script_computes():
    text = cost.PAGE.read_text(encoding="utf-8")
    prices = tomllib.loads((ROOT / "scripts/prices.toml").read_text(encoding="utf-8"))
    assert cost.page_with(text, cost.table(prices)) == text, "run: python scripts/cost.py --write"


def test_costs_grow_with_the_rate_and_never_fall():
    prices = tomllib.loads((ROOT / "scripts/prices.toml").read_text(encoding="utf-8"))
    for item in cost.items(prices):
        assert sorted(item.dollars) == list(item.dollars), item.name
        assert min(item.dollars) > 0, item.name


@pytest.mark.parametrize(
    "page", [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"], ids=lambda page: page.name
)
def test_a_page_links_only_to_what_is_there(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert gone == []
