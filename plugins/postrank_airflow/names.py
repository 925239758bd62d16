"""What this Airflow works on: names, connection, SQL, defaults. Read once, when a DAG file is parsed."""

import os
from datetime import timedelta
from pathlib import Path

from postrank.aws.resources import Resources
from postrank.settings import Settings

_SETTINGS = Settings.of(os.environ)
RESOURCES = Resources.of(_SETTINGS.environment, _SETTINGS.account, _SETTINGS.region)
AWS_CONNECTION = "aws_default"
POLL_SECONDS = int(os.environ.get("POSTRANK_POLL_SECONDS", "10"))  # between two looks at something that runs on AWS

_PROJECT = Path(__file__).resolve().parents[2]
INCLUDE = Path(os.environ.get("POSTRANK_INCLUDE", _PROJECT / "include"))
SQL = INCLUDE / "sql"

DEFAULT_ARGS = {
    "owner": "postrank",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=30),
}
