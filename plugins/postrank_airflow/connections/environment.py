"""What this Airflow works on: names, connection, SQL. Read once, when a DAG file is parsed."""

import os
from pathlib import Path

from postrank.aws.resources import Resources
from postrank.settings import Settings

_SETTINGS = Settings.of(os.environ)
RESOURCES = Resources.of(_SETTINGS.environment, _SETTINGS.account, _SETTINGS.region)
AWS_CONNECTION = "aws_default"
POLL_SECONDS = int(os.environ.get("POSTRANK_POLL_SECONDS", "10"))  # between two looks at something that runs on AWS

_PROJECT = Path(__file__).resolve().parents[3]
INCLUDE = Path(os.environ.get("POSTRANK_INCLUDE", _PROJECT / "include"))
SQL = INCLUDE / "sql"
POSTGRES = INCLUDE / "postgres"
