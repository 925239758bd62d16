"""Shipments on their way: to the sink, to the spool while the sink is away, committed in their order."""

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from postrank.errors import Fatal
from postrank.sinks import Record, Sink, Unavailable
from postrank.streamer.engine.counts import Counts
from postrank.streamer.engine.spool import Spool, SpoolDamaged, SpoolFull

log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0  # seconds between attempts to empty the spool


@dataclass(slots=True)
class Shipment:
    """Records, and what is true once they are durable: the frame for the checkpoint, the counts up to its cursor."""

    records: Sequence[Record]
    frame: bytes
    counts: Counts
    cursor: str | None
    durable: bool = field(default=False, init=False)


class Shipper:
    """Sends shipments. `commit` is called in the order of `submit`, once all records of a shipment are durable."""

    def __init__(self, sink: Sink, spool: Spool, in_flight: int) -> None:
        self._sink = sink
        self._spool = spool
        self.commit: Callable[[Sequence[Shipment]], None] = _nobody
        self._room = threading.Semaphore(in_flight)
        self._order: deque[Shipment] = deque()
        self._changed = threading.Condition()
        self._workers = ThreadPoolExecutor(in_flight, thread_name_prefix="shipper")
        self._stopped = threading.Event()
        self._drainer = threading.Thread(target=self._drain, name="spool", daemon=True)
        self.failure: BaseException | None = None
        self.blocked = False  # the spool is full: nothing is lost, and nothing more is read
        self.damaged = 0  # spool files that were put aside
        self._drainer.start()

    def submit(self, shipment: Shipment, *, wait: float) -> bool:
        """Send a shipment; False when `wait` seconds brought no room for one more in flight."""
        if not self._room.acquire(timeout=wait):
            return False
        with self._changed:
            self._order.append(shipment)
        self._workers.submit(self._ship, shipment)
        return True

    def wait_idle(self, seconds: float) -> bool:
        """Whether everything submitted is durable and committed within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._order or self.failure is not None, seconds)

    def wait_empty(self, seconds: float) -> bool:
        """Whether the spool has drained within `seconds`."""
        with self._spool.changed:
            return self._spool.changed.wait_for(lambda: not len(self._spool) or self.failure is not None, seconds)

    def stop(self) -> None:
        """Stop sending; what the sink has not taken stays in the spool."""
        self._stopped.set()
        with self._spool.changed:
            self._spool.changed.notify_all()
        self._drainer.join()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _ship(self, shipment: Shipment) -> None:
        try:
            self._make_durable(shipment.records)
        except BaseException as error:
            with self._changed:
                self.failure = self.failure or error
                self._changed.notify_all()
            return
        with self._changed:
            shipment.durable = True
            ready = []
            while self._order and self._order[0].durable:
                ready.append(self._order.popleft())
            if ready:
                try:
                    self.commit(ready)
                except BaseException as error:  # a checkpoint that cannot be written ends the streamer
                    self.failure = self.failure or error
            for _ in ready:
                self._room.release()
            self._changed.notify_all()

    def _make_durable(self, records: Sequence[Record]) -> None:
        left = records
        if not len(self._spool):  # else these wait behind the ones that are there
            try:
                self._sink.put(left)
                return
            except Unavailable as away:
                log.warning("sink away", extra={"fields": {"why": away.why, "records": len(away.left)}})
                left = away.left
            except Fatal as error:  # what was read is kept, but the streamer ends: a person must look at it
                self.failure = self.failure or error
        while not self._stopped.is_set():
            try:
                self._spool.append(left)
                self.blocked = False
                return
            except SpoolFull as full:
                if not self.blocked:
                    log.error("spool full", extra={"fields": {"why": str(full)}})
                self.blocked = True
                with self._spool.changed:
                    self._spool.changed.wait(1.0)
        raise SpoolFull("stopped while the spool was full: what is not durable will be read again")

    def _drain(self) -> None:
        attempt = 0
        while not self._stopped.is_set():
            with self._spool.changed:
                self._spool.changed.wait_for(lambda: len(self._spool) or self._stopped.is_set(), 1.0)
            try:
                records = self._spool.first()
                if records is None or self._stopped.is_set():
                    continue
                self._sink.put(records)
                self._spool.drop_first()
                attempt = 0
            except SpoolDamaged as damaged:
                self.damaged += 1
                log.error("spool damaged", extra={"fields": {"file": damaged.path.name}})
            except Unavailable:
                pause = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
                self._stopped.wait(random.uniform(0.3, 1.0) * pause)  # noqa: S311 no secret
                attempt += 1
            except (Fatal, OSError) as error:
                with self._changed:
                    self.failure = self.failure or error
                    self._changed.notify_all()
                return


def _nobody(shipments: Sequence[Shipment]) -> None:
    raise AssertionError(f"{len(shipments)} shipments are durable and nobody was named to note it")
