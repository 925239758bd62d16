"""All crawlers' definitions and histories, in one file that is replaced as a whole."""

import json
import os
import threading
from pathlib import Path

from localaws.core.cloud import AwsError
from localaws.services.glue.crawlers.crawler import Crawler

_MOST_CRAWLS = 100


class Register:
    """The crawlers by name. Safe to use from any thread; `turn` is held while one is changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "crawlers.json"
        self.turn = threading.RLock()
        self._crawlers: dict[str, Crawler] = {}

    def load(self) -> None:
        """Read what an earlier start has kept."""
        if self._path.exists():
            states = json.loads(self._path.read_text(encoding="utf-8"))
            with self.turn:
                self._crawlers = {crawler.name: crawler for crawler in map(Crawler.restored, states)}

    def save(self) -> None:
        """Write all; a crash leaves the file as it was or as it is."""
        with self.turn:
            for crawler in self._crawlers.values():
                del crawler.crawls[:-_MOST_CRAWLS]
            text = json.dumps([crawler.to_state() for crawler in self._crawlers.values()])
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(".partial")
            with partial.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)

    def all(self) -> list[Crawler]:
        """Every crawler, by name."""
        with self.turn:
            return [self._crawlers[name] for name in sorted(self._crawlers)]

    def find(self, name: object) -> Crawler:
        """Raises AwsError EntityNotFoundException."""
        crawler = self._crawlers.get(str(name))
        if crawler is None:
            raise AwsError("EntityNotFoundException", f"Crawler entry with name {name} does not exist")
        return crawler

    def add(self, crawler: Crawler) -> None:
        """Raises AwsError AlreadyExistsException."""
        with self.turn:
            if crawler.name in self._crawlers:
                raise AwsError("AlreadyExistsException", f"{crawler.name} already exists")
            self._crawlers[crawler.name] = crawler
            self.save()

    def remove(self, crawler: Crawler) -> None:
        with self.turn:
            self._crawlers.pop(crawler.name, None)
            self.save()
