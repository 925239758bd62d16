"""Whether the streamer is well, as numbers that have limits."""

import time
from dataclasses import dataclass

from postrank.streamer.telemetry.reporter import Reporter

CONTACT_LIMIT = 120.0  # seconds without a sign from the source; keep-alives of every network come far more often
ACK_LIMIT = 120.0  # seconds in which something waited for an acknowledgement and none came


@dataclass(slots=True, frozen=True)
class Health:
    """Ages in seconds; `problems` is empty when all is well."""

    contact_age: float
    ack_age: float
    heartbeat_age: float  # of the last heartbeat that S3 took
    problems: tuple[str, ...]


def health(reporter: Reporter) -> Health:
    """How the streamer is at this moment."""
    now = time.monotonic()
    progress = reporter.progress
    contact = now - progress.contact
    ack = now - progress.ack
    counts = reporter.counts()
    problems = []
    if reporter.phase == "failed":
        problems.append(f"failed: {reporter.error}")
    if reporter.phase == "streaming" and contact > CONTACT_LIMIT:
        problems.append(f"the source has given no sign for {contact:.0f} s")
    if counts["in_flight"] + counts["spooled"] and ack > ACK_LIMIT:
        problems.append(f"{counts['in_flight'] + counts['spooled']} lines wait, and none was taken for {ack:.0f} s")
    if reporter.shipper.blocked:
        problems.append("the spool is full: nothing more is read until AWS takes what is there")
    written = now - reporter.written
    return Health(contact_age=contact, ack_age=ack, heartbeat_age=written, problems=tuple(problems))
