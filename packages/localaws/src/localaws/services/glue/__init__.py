"""Glue's crawlers, which really crawl; the rest of Glue (the catalogue itself) is the emulator's."""

from localaws.glue.service import CrawlerService
from localaws.service import Cloud, Service


def create(cloud: Cloud) -> Service:
    """The crawlers of `cloud`; their state is below `cloud.state / "glue"`."""
    return CrawlerService(cloud)
