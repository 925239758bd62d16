"""DB instances in tests: made, waited for, connected to as any client would."""

from pathlib import Path
from typing import Any

import psutil
import psycopg

from localaws.core.shapes import Document
from localaws.testing.server import LocalAws
from localaws.testing.waiting import wait_for

PASSWORD = "correct-horse-battery"  # of servers that live as long as a test


def create(aws: LocalAws, identifier: str, **params: Any) -> Document:
    """Make an instance and wait until it is available."""
    usual = {
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "keeper",
        "DBName": "ranks",
    }
    if not params.get("ManageMasterUserPassword"):
        usual["MasterUserPassword"] = PASSWORD
    aws.client("rds").create_db_instance(DBInstanceIdentifier=identifier, **{**usual, **params})
    return await_status(aws, identifier, "available")


def instance(aws: LocalAws, identifier: str) -> Document:
    response = aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
    return dict(response["DBInstances"][0])


def await_status(aws: LocalAws, identifier: str, expected: str) -> Document:
    def reached() -> Document | None:
        description = instance(aws, identifier)
        assert description["DBInstanceStatus"] != "failed", aws.stderr.read_text()
        return description if description["DBInstanceStatus"] == expected else None

    return wait_for(reached, timeout=60, what=f"{identifier} to be {expected}")


def connect(description: Document, password: str = PASSWORD, **options: Any) -> psycopg.Connection:
    """A connection to the instance's endpoint as its master user."""
    usual = {
        "user": description["MasterUsername"],
        "dbname": description.get("DBName", "postgres"),
        "connect_timeout": 10,
    }
    endpoint = description["Endpoint"]
    return psycopg.connect(
        host=endpoint["Address"], port=endpoint["Port"], password=password, autocommit=True, **{**usual, **options}
    )


def server(aws: LocalAws, identifier: str) -> psutil.Process:
    """The instance's server process."""
    path: Path = aws.state / "rds" / identifier / "data" / "postmaster.pid"
    return psutil.Process(int(path.read_text().splitlines()[0]))
