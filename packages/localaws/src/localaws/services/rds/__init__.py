"""RDS for PostgreSQL: each DB instance is a real Postgres server on 127.0.0.1."""

from localaws.core.cloud import Cloud
from localaws.services.rds.service import RdsService


def create(cloud: Cloud) -> RdsService:
    """The service of `cloud`."""
    return RdsService(cloud)
