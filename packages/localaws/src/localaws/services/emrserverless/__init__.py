"""EMR Serverless: each Spark job run is a real `spark-submit` on this machine."""

from localaws.core.cloud import Cloud
from localaws.services.emrserverless.service import EmrServerlessService


def create(cloud: Cloud) -> EmrServerlessService:
    """The service of `cloud`."""
    return EmrServerlessService(cloud)
