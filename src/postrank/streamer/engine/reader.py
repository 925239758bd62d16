"""Reading the source in a thread of its own, into a bounded queue; reconnecting when it was lost."""

import logging
import queue
import random
import threading

from postrank.errors import Retryable
from postrank.sources import Batch, Cursor, Source

log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0  # seconds; a source with rules of its own keeps those
_WAITING = 32  # batches that wait for the pump


class Reader:
    """Batches of a source, through `get`.

    `ended` when it has none any more: by its own end, by `stop`, or by `failure`.
    """

    def __init__(self, source: Source, after: Cursor | None) -> None:
        self._source = source
        self._cursor = after
        self._queue: queue.Queue[Batch | None] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self.failure: BaseException | None = None
        self.finished = False  # the source came to its own end
        self.ended = False
        self.reconnects = 0

    def start(self) -> None:
        self._thread.start()

    def get(self, timeout: float) -> Batch | None:
        """The next batch; None when there is none within `timeout` seconds, or no more at all (`ended`)."""
        if self.ended:
            return None
        try:
            batch = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        self.ended = batch is None
        return batch

    def stop(self) -> None:
        """Read no more. Batches that nobody has got yet are dropped: the cursor has not passed them."""
        self._stopped.set()
        self._source.stop()

    def _run(self) -> None:
        attempt = 0
        while not self._stopped.is_set():
            try:
                for batch in self._source.read(after=self._cursor):
                    self._cursor = batch.cursor or self._cursor
                    attempt = 0 if batch.read else attempt
                    if not self._offer(batch):
                        return
                self.finished = not self._stopped.is_set()
                break
            except Retryable as lost:
                log.warning("source lost", extra={"fields": {"source": self._source.name, "why": str(lost)}})
                self.reconnects += 1
                pause = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
                self._stopped.wait(random.uniform(0.5, 1.0) * pause)  # noqa: S311 no secret
                attempt += 1
            except BaseException as error:
                self.failure = error
                break
        self._offer(None)

    def _offer(self, batch: Batch | None) -> bool:
        """Put a batch on the queue; False when the reader was stopped while the queue was full."""
        while True:
            try:
                self._queue.put(batch, timeout=0.5)
                return True
            except queue.Full:
                if self._stopped.is_set():
                    self.ended = True
                    return False
