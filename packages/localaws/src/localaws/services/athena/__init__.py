"""Athena: SQL in Athena's dialect, run by DuckDB on the objects that the Glue catalogue describes."""

from localaws.athena.service import AthenaService
from localaws.service import Cloud, Service


def create(cloud: Cloud) -> Service:
    """The Athena service of `cloud`; its state is below `cloud.state / "athena"`."""
    return AthenaService(cloud)
