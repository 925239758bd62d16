"""The settings of a run's Airflow: no start shows that one is misspelt, or gone from the installed version."""

import json
import subprocess
import sys
from pathlib import Path

from postrank.laptop.services.airflow import settings
from postrank.laptop.services.postgres import Postgres
from postrank.laptop.services.processes import Parts
from postrank.laptop.setup.layout import Layout

ROOT = Path(__file__).resolve().parents[3]
DESCRIBED = """
import json
from airflow.configuration import retrieve_configuration_description
sections = retrieve_configuration_description(include_providers=True).items()
print(json.dumps([f"AIRFLOW__{name}__{option}".upper() for name, section in sections for option in section["options"]]))
"""
# Read by airflow.utils.process_utils for every component, and described for none.
UNDESCRIBED = {"AIRFLOW__SCHEDULER__MP_START_METHOD"}


def test_airflow_knows_every_setting(tmp_path: Path) -> None:
    layout = Layout.of(ROOT, tmp_path)
    layout.airflow.mkdir(parents=True)
    database = Postgres(Parts(tmp_path), layout.airflow / "postgres", tmp_path / "cache")
    names = {name for name in settings(layout, database, 8080, "http://127.0.0.1:1", "us-east-1") if "__" in name}
    environment = {"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    process = subprocess.run(
        [sys.executable, "-c", DESCRIBED], env=environment, capture_output=True, text=True, check=True
    )
    described = {name.replace(".", "_") for name in json.loads(process.stdout.splitlines()[-1])}
    assert len(described) > 100
    assert names - described == UNDESCRIBED
