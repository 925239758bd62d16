"""Athena: SQL in Athena's dialect, run on the objects that the Glue catalogue describes, by DuckDB or by a Trino."""

from localaws.core.cloud import Cloud, Service
from localaws.services.athena.api.service import AthenaService


def create(cloud: Cloud, engine: str = "duckdb") -> Service:
    """The Athena service of `cloud`; its state is below `cloud.state / "athena"`. `engine`: "duckdb" or "trino"."""
    return AthenaService(cloud, engine)
