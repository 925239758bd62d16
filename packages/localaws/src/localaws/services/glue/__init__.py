"""Glue's crawlers, which really crawl; the rest of Glue (the catalogue itself) is the emulator's."""

from localaws.core.cloud import Cloud, Service
from localaws.services.glue.service import CrawlerService


def create(cloud: Cloud) -> Service:
    """The crawlers of `cloud`; their state is below `cloud.state / "glue"`."""
    return CrawlerService(cloud)
