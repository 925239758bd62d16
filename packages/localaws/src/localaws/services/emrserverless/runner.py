"""Job runs at work: a thread each, from SUBMITTED to an end, with the attempts that their retry policy allows."""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from localaws.core.cloud import AwsError, Cloud
from localaws.core.shapes import Document
from localaws.services.emrserverless.records import Records
from localaws.services.emrserverless.submission import MARK, CannotSubmit, Submission

log = logging.getLogger(__name__)
ACTIVE = frozenset({"SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING", "QUEUED"})
_LOOK_SECONDS = 0.1
_LOG_SECONDS = 30.0  # between uploads of a run's logs
_GRACE_SECONDS = 15.0  # from a cancellation's SIGTERM to its SIGKILL, unless the call says otherwise
_HOUR = 3600.0
_STOP_SECONDS = 10.0


class Runner:
    """Starts and cancels runs. Runs that were active when the server ended are submitted again when it starts."""

    def __init__(self, cloud: Cloud, records: Records, folder: Path) -> None:
        self._cloud = cloud
        self._records = records
        self._folder = folder
        self._stopping = threading.Event()
        self._cancelled: dict[str, float] = {}  # by run: seconds of grace
        self._threads: dict[str, threading.Thread] = {}

    def resume(self) -> None:
        """End what an earlier server left running, and take up its active runs."""
        _end_left_processes(self._folder)
        for record in self._records.runs():
            if record["state"] == "CANCELLING":
                self._note(record, "CANCELLED", "cancelled")
            elif record["state"] in ACTIVE:
                self.submit(record)

    def submit(self, record: Document) -> None:
        """Run a job in the background."""
        thread = threading.Thread(target=self._run, args=(record,), name=record["jobRunId"], daemon=True)
        self._threads[record["jobRunId"]] = thread
        thread.start()

    def cancel(self, record: Document, grace: float | None) -> None:
        """Have a run end; it is CANCELLED when its process is gone."""
        self._note(record, "CANCELLING", "cancelling")
        self._cancelled[record["jobRunId"]] = _GRACE_SECONDS if grace is None else grace

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads.values():
            thread.join(_STOP_SECONDS)
        _end_left_processes(self._folder)

    def _run(self, record: Document) -> None:
        failures: list[float] = []
        try:
            while not self._stopping.is_set():
                failure = self._attempt(record)
                if failure is None:
                    return
                failures.append(time.monotonic())
                if not _may_retry(record, failures):
                    self._note(record, "FAILED", f"Job failed, please check complete logs. {failure}")
                    return
                record["attempt"] += 1
                self._note(record, "PENDING", "waiting for another attempt")
        except AwsError as error:
            self._note(record, "FAILED", error.message)
        except Exception:
            log.exception("job run %s ended", record["jobRunId"])
            self._note(record, "FAILED", "internal error")

    def _attempt(self, record: Document) -> str | None:
        """One attempt; its failure, or None if the run came to an end or the server stops."""
        name = record["jobRunId"]
        role = self._cloud.role(record["executionRole"], service="emr-serverless.amazonaws.com", session=name)
        submission = Submission(self._cloud, record, role, self._folder.resolve() / name)
        self._note(record, "SCHEDULED", "")
        try:
            process = submission.start()
        except CannotSubmit as error:
            return str(error)
        self._note(record, "RUNNING", "", startedAt=datetime.now(UTC))
        status = self._watch(process, submission, record)
        if status is None:
            return None
        submission.upload_logs()
        if name in self._cancelled:
            self._note(record, "CANCELLED", "cancelled", endedAt=datetime.now(UTC))
            return None
        if status == 0:
            self._note(record, "SUCCESS", "", endedAt=datetime.now(UTC))
            return None
        return f"The driver ended with {status}: {submission.last_words()}"

    def _watch(self, process: "subprocess.Popen[bytes]", submission: Submission, record: Document) -> int | None:
        """The status with which the driver ends; None if the server stops first."""
        started = time.monotonic()
        uploaded = started
        limit = float(record.get("executionTimeoutMinutes") or 0) * 60
        kill_at: float | None = None
        while (status := process.poll()) is None:
            now = time.monotonic()
            if self._stopping.is_set():
                _signal(process, signal.SIGKILL)
                process.wait()
                return None
            if kill_at is None and (record["jobRunId"] in self._cancelled or (limit and now - started > limit)):
                _signal(process, signal.SIGTERM)
                kill_at = now + self._cancelled.get(record["jobRunId"], 0.0)
            elif kill_at is not None and now > kill_at:
                _signal(process, signal.SIGKILL)
            if now - uploaded > _LOG_SECONDS / self._cloud.speed:
                submission.upload_logs()
                uploaded = now
            time.sleep(_LOOK_SECONDS)
        _signal(process, signal.SIGKILL)  # what the driver leaves: its Java, its Python workers
        return status

    def _note(self, record: Document, state: str, details: str, **fields: object) -> None:
        with self._records.changed_run(record["applicationId"], record["jobRunId"]) as stored:
            if stored["state"] == "CANCELLING" and state in ("SCHEDULED", "RUNNING", "PENDING"):
                return
            stored.update(state=state, stateDetails=details[:256], attempt=record["attempt"], **fields)
            stored["attemptUpdatedAt"] = datetime.now(UTC)


def _may_retry(record: Document, failures: list[float]) -> bool:
    """The run's retry policy: attempts of a batch job, failed attempts an hour of a streaming one."""
    policy = record.get("retryPolicy") or {}
    if record["mode"] == "STREAMING":
        recent = [moment for moment in failures if moment > time.monotonic() - _HOUR]
        return len(recent) <= int(policy.get("maxFailedAttemptsPerHour") or 1)
    return len(failures) < int(policy.get("maxAttempts") or 1)


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    """To the driver's whole group, which it leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _end_left_processes(folder: Path) -> None:
    """Kill the processes whose environment names a run below `folder`."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real == os.getuid():
                mark = process.environ().get(MARK)
                if mark and Path(mark).is_relative_to(folder.resolve()):
                    process.kill()
