"""Athena: SQL in Athena's dialect, run by DuckDB on the objects that the Glue catalogue describes."""

from localaws.core.cloud import Cloud, Service
from localaws.services.athena.api.service import AthenaService


def create(cloud: Cloud) -> Service:
    """The Athena service of `cloud`; its state is below `cloud.state / "athena"`."""
    return AthenaService(cloud)
