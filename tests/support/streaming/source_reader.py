"""Reading a source in a thread of its own, as the streamer does, and waiting for what it gives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.options import Options
from postrank.posts import Event, Reject
from postrank.sources import Batch, Cursor, Gap, Original, Source, Surroundings
from postrank.sources.registry import build


def built(name: str, state: Path, *, keeps_originals: bool = False, **table: Any) -> Source:
    """A source as a configuration describes it."""
    state.mkdir(parents=True, exist_ok=True)
    return build(name, Options(table, name), Surroundings(state=state, keeps_originals=keeps_originals))


@dataclass
class Reading:
    """What a source gave so far."""

    source: Source
    batches: list[Batch] = field(default_factory=list)
    error: BaseException | None = None
    thread: threading.Thread | None = None

    @property
    def events(self) -> list[Event]:
        return [event for batch in list(self.batches) for event in batch.events]

    @property
    def originals(self) -> list[Original]:
        return [original for batch in list(self.batches) for original in batch.originals]

    @property
    def ids(self) -> list[str]:
        return [event.post_id for event in self.events]

    @property
    def gaps(self) -> list[Gap]:
        return [gap for batch in list(self.batches) for gap in batch.gaps]

    @property
    def rejects(self) -> list[Reject]:
        return [reject for batch in list(self.batches) for reject in batch.rejects]

    @property
    def cursor(self) -> Cursor | None:
        return next((batch.cursor for batch in reversed(self.batches) if batch.cursor), None)

    def ignored(self, kind: str) -> int:
        return sum(batch.ignored.get(kind, 0) for batch in list(self.batches))

    def run(self, after: Cursor | None) -> None:
        try:
            for batch in self.source.read(after=after):
                self.batches.append(batch)
        except BaseException as error:
            self.error = error

    def until(self, condition: Any, what: str, timeout: float = 60.0) -> None:
        def met() -> bool:
            if self.error is not None:
                raise AssertionError(f"the source raised {self.error!r} while waiting for {what}") from self.error
            return bool(condition())

        wait_for(met, timeout=timeout, what=what, every=0.01)

    def until_ids(self, *ids: str, timeout: float = 60.0) -> None:
        self.until(lambda: set(ids) <= set(self.ids), f"{ids}; it has {self.ids[-20:]}", timeout)

    def until_failed(self) -> BaseException:
        wait_for(lambda: self.error is not None, what="the source to raise")
        assert self.error is not None
        return self.error


@contextmanager
def reading(source: Source, after: Cursor | None = None) -> Iterator[Reading]:
    """The source being read; on leaving it is stopped, and must then return."""
    found = Reading(source)
    found.thread = threading.Thread(target=found.run, args=(after,), daemon=True)
    found.thread.start()
    try:
        yield found
    finally:
        source.stop()
        found.thread.join(patient(30.0))
        assert not found.thread.is_alive(), "the source did not return after stop()"
