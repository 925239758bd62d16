"""The warehouse of a run and the app over it: an RDS instance, what fills it, and Streamlit, after the first ranking.

The app logs in as the role that reads, `postrank live` as the one that owns the tables, each with a password that this
process makes; only the loads use the secret that RDS manages.
"""

import os
import secrets
import shlex
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.laptop.services.airflow import Airflow, AirflowRefused, inherited_environment
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.processes import Parts, Program
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.ports import HOST, any_free, claim

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

    from postrank.warehouse.connection import Server

PORT = 8501
PART = "app"
LIVE = "live"
CONNECTION = "postrank_warehouse"
READY_SECONDS = 300.0  # each takes seconds; a dead part is noticed at once, so a busy machine may take its time
_DATABASE = "postrank"
_PAUSE_SECONDS = 0.2
_ENVIRONMENT_FILE = "warehouse.env"


class WarehouseFailed(Fatal):
    """The local RDS has no warehouse."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the warehouse is {state} after {READY_SECONDS:.0f} s: see localaws.log")


@dataclass(slots=True)
class App:
    """The app's part of a run. `port` is the one that was asked for; without one, 8501 if it is free, else any."""

    parts: Parts
    layout: Layout
    names: Resources
    cloud: LocalCloud
    port: int | None
    server: "Server | None" = field(init=False, default=None)
    url: str = field(init=False, default="")

    @property
    def environment_file(self) -> Path:
        """A shell file with the reader's login."""
        return self.layout.var / _ENVIRONMENT_FILE

    def prepare(self, airflow: Airflow) -> None:
        """Start the warehouse, apply the migrations, and make Airflow's connection to it.

        Raises WarehouseFailed, PartDied, AirflowRefused, WarehouseAway.
        """
        from postrank.warehouse.connection import READER, Server, connect, managed_secret
        from postrank.warehouse.schema import OWNER, migrate, set_password

        instance = self._instance()
        endpoint = instance["Endpoint"]
        arn = instance["MasterUserSecret"]["SecretArn"]
        self.server = Server(host=endpoint["Address"], port=endpoint["Port"], database=_DATABASE)
        passwords = {role: secrets.token_urlsafe(24) for role in (READER, OWNER)}
        with connect(self.server, managed_secret(self.cloud.client("secretsmanager"), arn)) as connection:
            migrate(connection)
            for role, password in passwords.items():
                set_password(connection, role, password)
        self._connect_airflow(airflow, arn)
        reader = self._environment(READER, passwords[READER])
        self._write_environment(reader)
        self._start_live(self._environment(OWNER, passwords[OWNER]))
        self._start_pages(reader)

    def wait(self) -> None:
        """Return when the pages are served. Raises PartDied, PartTooSlow."""
        self.parts.wait_until(PART, self._is_healthy, READY_SECONDS)

    def _instance(self) -> "DBInstanceTypeDef":
        """The RDS instance, made unless an earlier run has left it, once it is available."""
        rds = self.cloud.client("rds")
        identifier = f"postrank-{self.names.environment}"
        with suppress(rds.exceptions.DBInstanceAlreadyExistsFault):
            rds.create_db_instance(
                DBInstanceIdentifier=identifier,
                Engine="postgres",
                DBInstanceClass="db.t4g.micro",
                AllocatedStorage=20,
                DBName=_DATABASE,
                MasterUsername=_DATABASE,
                ManageMasterUserPassword=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while True:
            instance: DBInstanceTypeDef = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
            if (state := instance["DBInstanceStatus"]) == "available":
                return instance
            if state == "failed" or time.monotonic() > deadline:
                raise WarehouseFailed(state)
            self.parts.check()
            time.sleep(_PAUSE_SECONDS)

    def _connect_airflow(self, airflow: Airflow, secret: str) -> None:
        if self.server is None:
            return
        connection = {
            "connection_id": CONNECTION,
            "conn_type": "postgres",
            "host": self.server.host,
            "port": self.server.port,
            "schema": self.server.database,
            "extra": f'{{"secret": "{secret}"}}',
        }
        try:
            airflow.call("POST", "/api/v2/connections", json=connection)
        except AirflowRefused as refused:
            if refused.status != httpx.codes.CONFLICT:
                raise
            airflow.call("PATCH", f"/api/v2/connections/{CONNECTION}", json=connection)

    def _environment(self, user: str, password: str) -> dict[str, str]:
        """The variables that `postrank live`, the app and psql read."""
        if self.server is None:
            return {}
        return {
            "POSTRANK_WAREHOUSE_HOST": self.server.host,
            "POSTRANK_WAREHOUSE_PORT": str(self.server.port),
            "POSTRANK_WAREHOUSE_DATABASE": self.server.database,
            "POSTRANK_WAREHOUSE_USER": user,
            "PGPASSWORD": password,
        }

    def _write_environment(self, reader: Mapping[str, str]) -> None:
        """Write a shell file for psql and the app; readable by its owner only."""
        names = {"HOST": "PGHOST", "PORT": "PGPORT", "DATABASE": "PGDATABASE", "USER": "PGUSER"}
        libpq = {names[key.rpartition("_")[2]]: value for key, value in reader.items() if key.startswith("POSTRANK_")}
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in {**reader, **libpq}.items()]
        path = self.environment_file
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)

    def _start_live(self, owner: Mapping[str, str]) -> None:
        environment = {
            **inherited_environment(),
            **self.cloud.role_environment(self.names.roles["live"]),
            **owner,
            "POSTRANK_ENVIRONMENT": self.names.environment,
            "POSTRANK_ACCOUNT": self.names.account,
        }
        argv = (sys.executable, "-m", "postrank", "live", "--log-level", "WARNING")
        self.parts.start(LIVE, Program(argv=argv, env=environment, cwd=self.layout.root))

    def _start_pages(self, reader: Mapping[str, str]) -> None:
        port = self._free_port()
        self.url = f"http://{HOST}:{port}"
        environment = {**inherited_environment(), **reader, "STREAMLIT_SERVER_PORT": str(port)}
        argv = (sys.executable, "-m", "streamlit", "run", str(self.layout.root / "app" / "main.py"))
        self.parts.start(PART, Program(argv=argv, env=environment, cwd=self.layout.root / "app"))

    def _free_port(self) -> int:
        if self.port is not None:
            return self.port
        try:
            return claim(PORT)
        except Fatal:
            return any_free()

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_stcore/health", timeout=5.0, trust_env=False).is_success
        except httpx.TransportError:
            return False


def missing_packages() -> list[str]:
    """Which packages of the extra `app` are not installed."""
    return [name for name in ("streamlit", "psycopg_pool", "alembic") if find_spec(name) is None]
