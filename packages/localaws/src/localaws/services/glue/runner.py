"""Crawls at work: READY, RUNNING, STOPPING, and what became of each crawl."""

import logging
import threading
import uuid
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, AwsError, Caller, Cloud
from localaws.services.glue.crawlers.crawl_log import Logbook
from localaws.services.glue.crawlers.crawler import Crawl, Crawler
from localaws.services.glue.crawlers.crawler_store import Register
from localaws.services.glue.crawls.catalog_target import crawl_tables
from localaws.services.glue.crawls.catalogue import Catalogue
from localaws.services.glue.crawls.crawl_context import Cancelled, Work
from localaws.services.glue.crawls.s3_paths import Reader
from localaws.services.glue.crawls.s3_target import crawl_path

log = logging.getLogger(__name__)
_START_SECONDS = 30.0  # what AWS takes to find workers for a crawl, before it is divided by the speed


class Runner:
    """Runs crawls, each on a thread of its own."""

    def __init__(self, cloud: Cloud, register: Register) -> None:
        self._cloud = cloud
        self._register = register
        self._threads: dict[str, threading.Thread] = {}

    def start(self, crawler: Crawler) -> None:
        """Begin a crawl. Raises AwsError CrawlerRunningException."""
        with self._register.turn:
            if crawler.state != "READY":
                raise AwsError("CrawlerRunningException", f"Crawler with name {crawler.name} has already started")
            crawler.state = "RUNNING"
            crawler.cancelled.clear()
            crawl = Crawl(id=str(uuid.uuid4()), started=_now())
            crawler.crawls.append(crawl)
            self._register.save()
            thread = threading.Thread(
                target=self._run, args=(crawler, crawl), name=f"crawl {crawler.name}", daemon=True
            )
            self._threads[crawler.name] = thread
            thread.start()

    def cancel(self, crawler: Crawler) -> None:
        """Have a crawl end early. Raises AwsError CrawlerNotRunningException, CrawlerStoppingException."""
        with self._register.turn:
            if crawler.state == "STOPPING":
                raise AwsError("CrawlerStoppingException", f"Crawler with name {crawler.name} is stopping")
            if crawler.state != "RUNNING":
                raise AwsError("CrawlerNotRunningException", f"Crawler with name {crawler.name} isn't running")
            crawler.state = "STOPPING"
            crawler.cancelled.set()

    def stop(self) -> None:
        """End every crawl and wait for it."""
        for crawler in self._register.all():
            crawler.cancelled.set()
        for thread in list(self._threads.values()):
            thread.join()

    def _run(self, crawler: Crawler, crawl: Crawl) -> None:
        status = "SUCCEEDED"
        error = ""
        try:
            self._crawl(crawler, crawl)
        except Cancelled:
            status = "CANCELLED"
        except AwsError as refused:
            status = "FAILED"
            error = f"{refused.message} ({refused.code})"
        except Exception:
            log.exception("crawler %s failed", crawler.name)
            status = "FAILED"
            error = "Internal Service Exception"
        with self._register.turn:
            crawl.status, crawl.error, crawl.ended = status, error, _now()
            crawler.state = "READY"
            self._register.save()

    def _crawl(self, crawler: Crawler, crawl: Crawl) -> None:
        role = self.role(crawler.definition["Role"])
        book = Logbook(self._cloud, role, crawler.name, crawl.id)
        book.say("BENCHMARK : Running Start Crawl for Crawler " + crawler.name)
        try:
            if crawler.cancelled.wait(_START_SECONDS / self._cloud.speed):
                raise Cancelled
            self._targets(crawler, crawl, role, book)
            book.say("BENCHMARK : Crawler has finished running and is in state READY")
        except AwsError as error:
            book.say(f"ERROR : {error.message}")
            raise
        finally:
            book.put()

    def _targets(self, crawler: Crawler, crawl: Crawl, role: Caller, book: Logbook) -> None:
        work = Work(
            crawler=crawler,
            crawl=crawl,
            catalogue=Catalogue(self._cloud, role),
            reader=Reader(self._cloud, role),
            say=book.say,
        )
        targets = crawler.definition["Targets"]
        for target in targets.get("CatalogTargets") or []:
            crawl_tables(work, target)
        for target in targets.get("S3Targets") or []:
            crawl_path(work, target)

    def role(self, named: str) -> Caller:
        """The crawler's role, given by name or ARN. Raises AwsError InvalidInputException when Glue may not be it."""
        arn = named if named.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:role/{named}"
        try:
            return self._cloud.role(arn, service="glue.amazonaws.com", session="AWS-Crawler")
        except AwsError as error:
            message = f"Service is unable to assume provided role. Please verify role's TrustPolicy: {error.message}"
            raise AwsError("InvalidInputException", message) from error


def _now() -> float:
    return datetime.now(UTC).timestamp()
