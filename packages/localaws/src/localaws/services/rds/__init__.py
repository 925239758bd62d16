"""RDS for PostgreSQL: each DB instance is a real Postgres server on 127.0.0.1."""

from localaws.rds.service import RdsService
from localaws.service import Cloud


def create(cloud: Cloud) -> RdsService:
    """The service of `cloud`."""
    return RdsService(cloud)
