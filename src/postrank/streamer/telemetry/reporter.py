"""What the streamer says of itself, now and then: heartbeat and ledgers as objects, from a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from botocore.exceptions import BotoCoreError, ClientError

from postrank.documents import Document
from postrank.heartbeat import Heartbeat
from postrank.posts.times import to_text
from postrank.sinks import Sink
from postrank.streamer.engine.ledgers import Ledgers, PutObject
from postrank.streamer.engine.originals import Originals
from postrank.streamer.engine.pump import Progress
from postrank.streamer.engine.shipper import Shipper
from postrank.streamer.engine.spool import Spool

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Builds heartbeats; puts them, as `key`, and the ledgers every `seconds`, until `stop`."""

    progress: Progress
    spool: Spool
    shipper: Shipper
    sink: Sink
    ledgers: Ledgers
    source_gauges: Callable[[], dict[str, float]]
    newest_ms: Callable[[], int | None]  # event time of the newest post that was read
    collector: str
    instance_id: str
    source: str
    seconds: float
    put: PutObject
    key: str
    originals: Originals | None = None  # put as well
    configuration: Callable[[], Document | None] = lambda: None  # the published bundle that is applied
    phase: str = "starting"
    finished: bool = False
    error: str | None = None
    started_at: str = field(default_factory=lambda: to_text(datetime.now(UTC)))
    written: float = field(default_factory=time.monotonic)  # when the last heartbeat was, or this began
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopped: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write a last report and end."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def heartbeat(self) -> Heartbeat:
        """The heartbeat as of now."""
        progress = self.progress
        return Heartbeat(
            phase="spooling" if self.phase == "streaming" and len(self.spool) else self.phase,
            finished=self.finished,
            collector=self.collector,
            instance_id=self.instance_id,
            source=self.source,
            version=version("postrank"),
            started_at=self.started_at,
            written_at=to_text(datetime.now(UTC)),
            last_source_contact=progress.last_source_contact,
            last_ack=progress.last_ack,
            first_posted_at=progress.counts.first_posted_at,
            last_posted_at=progress.counts.last_posted_at,
            cursor=progress.cursor,
            counts=self.counts(),
            gauges=self.gauges(),
            unknown_fields=progress.counts.unknown_by_name,
            error=self.error,
            configuration=self.configuration(),
        )

    def counts(self) -> dict[str, int]:
        """The counts of the heartbeat: what it says of how they add up holds at every moment."""
        durable = self.progress.durable  # before `counts`, which is never behind it
        now = self.progress.counts
        spooled = min(self.spool.post_lines, durable.lines)  # what waits there and is not yet committed is in flight
        return {
            "read": now.read,
            "events": now.events,
            "posts": now.posts,
            "edits": now.edits,
            "deletes": now.deletes,
            "likes": now.likes,
            "observations": now.observations,
            "logs": now.logs,
            "rejected": now.rejected,
            "ignored": now.ignored,
            "filtered": now.filtered,
            "delivered": durable.lines - spooled,
            "spooled": spooled,
            "in_flight": now.lines - durable.lines,
            "windows_emitted": now.window_lines,
            "windows_durable": durable.window_lines,
            "future_posts": now.future_posts,
            **self._originals(),
            "gaps": now.gaps,
            "gap_seconds": now.gap_seconds,
            "unknown_fields": now.unknown_fields,
            "repaired": now.repaired,
        }

    def gauges(self) -> dict[str, float]:
        """Figures that go up and down, and those of source and sink."""
        newest = self.newest_ms()
        return {
            "lag_seconds": max(time.time() - newest / 1000, 0.0) if newest is not None else 0.0,
            "spool_bytes": float(self.spool.bytes),
            "spool_blocked": float(self.shipper.blocked),
            "spool_damaged": float(self.shipper.damaged),
            **self.sink.gauges(),
            **self.source_gauges(),
        }

    def _originals(self) -> dict[str, int]:
        """What became of the networks' JSON: `originals` of them are kept, of which `originals_waiting` are here."""
        if self.originals is None:
            return {}
        now = self.progress.counts
        return {
            "originals": now.originals,
            "originals_waiting": min(self.originals.waiting, now.originals),
            "originals_too_large": now.originals_too_large,
            "originals_left_out": now.originals_left_out,
        }

    def _run(self) -> None:
        while not self._stopped:
            self._report()
            self._wake.wait(self.seconds)
        self._report()

    def _upload_originals(self) -> None:
        """The networks' JSON, before the heartbeat that counts it; what fails waits, and holds no heartbeat up."""
        if self.originals is None:
            return
        try:
            self.originals.upload(self.put, all_rows=self._stopped)
        except (BotoCoreError, ClientError, OSError) as error:
            log.warning("originals not written", extra={"fields": {"why": str(error)}})

    def _report(self) -> None:
        self._upload_originals()
        heartbeat = self.heartbeat()
        try:
            if self._stopped and self.phase in ("stopped", "finished", "failed"):
                self.ledgers.note_hops(hops(self.counts()))
                self.ledgers.flush()
            self.ledgers.upload(self.put)
            self.put(self.key, heartbeat.to_json())
        except (BotoCoreError, ClientError, OSError) as error:  # OSError: of the disk that keeps the ledgers
            log.warning("report not written", extra={"fields": {"why": str(error)}})
        else:
            self.written = time.monotonic()


def hops(counts: dict[str, int]) -> dict[str, dict[str, int]]:
    """What each hop took and gave, from the counts: rows of the ledger `hop_counts`."""
    return {
        **_hop_of_originals(counts),
        "source": {"received": counts["read"], "delivered": counts["events"], "rejected": counts["rejected"]}
        | {"ignored": counts["ignored"]},
        "filters": {"received": counts["events"], "delivered": counts["events"] - counts["filtered"]}
        | {"rejected": 0, "ignored": counts["filtered"]},
        "sink": {"received": counts["events"] - counts["filtered"], "delivered": counts["delivered"]}
        | {"rejected": 0, "ignored": 0, "spooled": counts["spooled"], "in_flight": counts["in_flight"]},
    }


def _hop_of_originals(counts: dict[str, int]) -> dict[str, dict[str, int]]:
    """The same of the networks' JSON, where it is kept."""
    if "originals" not in counts:
        return {}
    rows = counts["originals"]
    too_large = counts["originals_too_large"]
    left_out = counts["originals_left_out"]
    waiting = counts["originals_waiting"]
    return {
        "originals": {"received": rows + too_large + left_out, "delivered": rows - waiting, "rejected": too_large}
        | {"ignored": left_out, "spooled": waiting, "in_flight": 0}
    }
