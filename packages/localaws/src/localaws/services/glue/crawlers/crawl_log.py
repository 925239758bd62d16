"""A crawl's lines in CloudWatch Logs: group `/aws-glue/crawlers`, a stream for each crawler."""

import contextlib
import logging
import time

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.services.glue.crawlers.crawler import LOG_GROUP

log = logging.getLogger(__name__)


class Logbook:
    """Collects lines and puts them as the crawler's role; a role that may not only leaves no log."""

    def __init__(self, cloud: Cloud, role: Caller, crawler: str, crawl: str) -> None:
        self._cloud = cloud
        self._role = role
        self._crawler = crawler
        self._crawl = crawl
        self._lines: list[tuple[int, str]] = []

    def say(self, text: str) -> None:
        self._lines.append((int(time.time() * 1000), f"[{self._crawl}] {text}"))

    def put(self) -> None:
        """Write what was said."""
        named = {"logGroupName": LOG_GROUP, "logStreamName": self._crawler}
        try:
            with contextlib.suppress(AwsError):  # most often: it exists already
                self._cloud.call("logs", "CreateLogGroup", {"logGroupName": LOG_GROUP}, self._role)
            with contextlib.suppress(AwsError):
                self._cloud.call("logs", "CreateLogStream", named, self._role)
            events = [{"timestamp": at, "message": text} for at, text in self._lines]
            self._cloud.call("logs", "PutLogEvents", {**named, "logEvents": events}, self._role)
        except AwsError as error:
            log.info("crawler %s leaves no log: %s", self._crawler, error.message)
