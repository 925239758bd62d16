"""What this Airflow works on: names, connection, SQL. Read once, when a DAG file is parsed."""

import os
from pathlib import Path

from postrank.aws.resources import Resources
from postrank.outbound import aws_authorities, exempt_local_hosts
from postrank.settings import Settings

# Operators and triggers of the Amazon provider make their clients themselves: they read the environment as boto3 does.
exempt_local_hosts(os.environ)
if authorities := aws_authorities():
    os.environ["AWS_CA_BUNDLE"] = authorities

_SETTINGS = Settings.of(os.environ)
RESOURCES = Resources.of(_SETTINGS.environment, _SETTINGS.account, _SETTINGS.region)
AWS_CONNECTION = "aws_default"
POLL_SECONDS = int(os.environ.get("POSTRANK_POLL_SECONDS", "10"))  # between two looks at something that runs on AWS
WAREHOUSE_QUEUE = os.environ.get("POSTRANK_WAREHOUSE_QUEUE", "")  # URL; without one, only the sweep loads

_PROJECT = Path(__file__).resolve().parents[3]
INCLUDE = Path(os.environ.get("POSTRANK_INCLUDE", _PROJECT / "include"))
SQL = INCLUDE / "sql"
POSTGRES = INCLUDE / "postgres"
