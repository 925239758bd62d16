"""What Terraform's files and what stands beside them have to agree about, read without Terraform."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from postrank.streamer.telemetry import metrics

ROOT = Path(__file__).parents[3]
TERRAFORM = ROOT / "terraform"
ALARMS = "".join((TERRAFORM / "modules/alarms" / name).read_text("utf-8") for name in ("main.tf", "dashboard.tf"))
FOLDERS = [TERRAFORM, TERRAFORM / "bootstrap", *sorted((TERRAFORM / "modules").iterdir())]
# What the source of X says of its spending (postrank.sources.x.budget), as metrics.py spells it.
OF_X = {"XSpentMonthUsd", "XBudgetMonthUsd", "XPausedForBudget"}


def test_the_tables_of_inputs_and_outputs_are_current():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/terraform_docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_validation_has_a_run_that_fails_it(folder):
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', (folder / "variables.tf").read_text("utf-8"), re.M | re.S)
    validated = {name: body.count("validation {") for name, body in blocks if "validation {" in body}
    source = "" if folder == TERRAFORM else f'"./{folder.relative_to(TERRAFORM)}"'
    runs = re.findall(r'^run "\w+" \{\n(.*?)^\}', "".join(p.read_text("utf-8") for p in TESTS), re.M | re.S)
    here = [run for run in runs if (f"source = {source}" in run if source else "module {" not in run)]
    failed = [found[1] for run in here if (found := re.search(r"expect_failures = \[var\.(\w+)\]", run))]
    assert {name: failed.count(name) for name in validated} == validated


TESTS = sorted((TERRAFORM / "tests").glob("*.hcl"))


def test_alarms_and_dashboard_are_about_metrics_that_the_streamer_sends():
    sent = {*metrics.COUNTS, *metrics.GAUGES, *metrics.AGES}
    asked = set(re.findall(r'metrics_namespace, metric = "(\w+)"', ALARMS))
    asked |= set(re.findall(r"local\.own\.(\w+)", ALARMS)) | set(re.findall(r'"(X\w+)"', ALARMS))
    assert asked - sent == OF_X


def test_the_runbook_has_a_line_for_every_alarm():
    runbook = (ROOT / "docs/runbook.md").read_text("utf-8")
    named = set(re.findall(r'^    "([a-z-]+)" = \{', ALARMS, re.M)) | set(
        re.findall(r'alarm_name += "\$\{local\.prefix\}-([a-z-]+)"', ALARMS)
    )
    assert len(named) > 5
    assert {name for name in named if f"`{name}`" not in runbook} == set()
