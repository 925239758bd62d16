"""What a crawl at work has at hand."""

from collections.abc import Callable
from dataclasses import dataclass

from localaws.services.glue.crawlers.crawler import Crawl, Crawler
from localaws.services.glue.crawls.catalogue import Catalogue
from localaws.services.glue.crawls.s3_paths import Reader


class Cancelled(Exception):
    """The crawl was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One crawl of one crawler; `say` adds a line to its log."""

    crawler: Crawler
    crawl: Crawl
    catalogue: Catalogue
    reader: Reader
    say: Callable[[str], None]

    def go_on(self) -> None:
        """Raises Cancelled once the crawl is to stop."""
        if self.crawler.cancelled.is_set():
            raise Cancelled
